"""A small copy of the embedded study in a folder of its own, and the questions tests ask of it.

It keeps the embedded study's model, rules and checks and drops rows and steps, so that one run takes about a minute.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from preloaded_python import preloaded_python

REPOSITORY = Path(__file__).parents[1]
DATA = REPOSITORY / "data"
ROWS = {"train": 48, "heldout": 10, "domain": 24, "test": 3}

CONFIG: dict[str, Any] = {
    "model": {"id": "data/model", "cpu_threads": 1},
    "manifests": {name: f"data/{name}_manifest.jsonl" for name in ROWS},
    "roles": {"general": ["heldout"], "domain": ["domain", "test"]},
    "durations": {"thresholds": [5, 8, 10, 15], "min_train_samples": 20},
    "labels": {"sample": 8},
    "statistics": {"target_gain": 0.3, "replicates": 200},
    "adapter": {"sample": 6},
    "candidates": {"lora": {"train": {"max_steps": 4, "eval_steps": 2, "batch_size": 4, "warmup_steps": 0}}},
}


@dataclass(frozen=True)
class Work:
    """Model work done: utterances decoded and optimiser steps taken, by what they were done for.

    `decoded` counts for a run's transcripts under the run's name, for the label audit under `labels`, for the ladder
    of a run under `effect/<run>`; what decoded nothing is left out.
    """

    decoded: dict[str, int]
    steps: int

    @property
    def none(self) -> bool:
        return self.steps == 0 and not self.decoded


@dataclass(frozen=True)
class Study:
    """One study folder: its configuration can be changed, and Snakemake run in it, by `python` if it is named."""

    folder: Path
    python: str | None = None

    @property
    def results(self) -> Path:
        return self.folder / "results"

    def config(self) -> dict[str, Any]:
        loaded: dict[str, Any] = yaml.safe_load((self.folder / "config.yaml").read_text())
        return loaded

    def configure(self, changes: dict[str, Any]) -> None:
        """Merge changes into config.yaml; a None removes the key."""
        (self.folder / "config.yaml").write_text(yaml.safe_dump(merged(self.config(), changes), sort_keys=False))

    def manifest(self, name: str) -> Path:
        return self.folder / "data" / f"{name}_manifest.jsonl"

    def rows(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.manifest(name).read_text().splitlines()]

    def write_rows(self, name: str, rows: list[dict[str, Any]]) -> None:
        self.manifest(name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    def snakemake(self, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess[str]:
        """Run the workflow here as a person would; the caller judges the exit code."""
        command = self.command(*arguments, cores=cores)
        if self.python is None:
            command[0] = preloaded_python()
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True)

    def command(self, *arguments: str, cores: int = 2) -> list[str]:
        """The command line of a real interpreter, for tests that kill it or look at its terminal."""
        return [
            self.python or sys.executable,
            "-m",
            "snakemake",
            "-s",
            str(REPOSITORY / "Snakefile"),
            "--cores",
            str(cores),
            *arguments,
        ]

    def run(self, *arguments: str, cores: int = 2) -> Work:
        """Run the workflow to its end and count the model work of this run alone."""
        before = self.records()
        done = self.snakemake(*arguments, cores=cores)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return self.work_since(before)

    def stale_rules(self, *arguments: str) -> set[str]:
        """Rules that a dry run would execute."""
        done = self.snakemake("--dry-run", *arguments)
        return set(re.findall(r"^(?:localrule|rule|checkpoint) (\w+):$", done.stdout, re.MULTILINE))

    def records(self) -> dict[str, dict[str, Any]]:
        return {
            str(path.relative_to(self.folder)): json.loads(path.read_text())
            for path in sorted(self.results.rglob("*.run.json"))
        }

    def work_since(self, before: dict[str, dict[str, Any]]) -> Work:
        """What executions did whose record is new or changed."""
        decoded: dict[str, int] = {}
        steps = 0
        for name, record in self.records().items():
            if record == before.get(name):
                continue
            steps += record["optimizer_steps"] or 0
            purpose = name.removeprefix("results/").removesuffix(".json.run.json")
            if purpose.startswith("transcripts/"):
                purpose = purpose.split("/")[1]
            if record["utterances_decoded"]:
                decoded[purpose] = decoded.get(purpose, 0) + record["utterances_decoded"]
        return Work(decoded, steps)

    def verdict(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.results / "verdict.json").read_text())
        return loaded

    def causes(self, severity: str | None = None) -> list[str]:
        return [c["code"] for c in self.verdict()["causes"] if severity in (None, c["severity"])]

    def digests(self) -> dict[str, str]:
        """Content of every result that must be identical whenever it is computed: no records of runs, no report."""
        return {
            str(path.relative_to(self.results)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.results.rglob("*"))
            if path.is_file()
            # The last is an empty file whose time is that of a folder for Snakemake. It is missing where a job outlived
            # a killed Snakemake and finished its result by itself.
            and not path.name.endswith((".run.json", "experiment.json", "report.html", ".snakemake_timestamp"))
            and path.relative_to(self.results).as_posix()
            not in {"report/index.html", "report/verdict.txt", "commands.sh"}
        }

    def copy(self, folder: Path) -> Study:
        """The same study elsewhere, with all its computed and cached state and its modification times."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Study(folder)


def make_study(folder: Path, changes: dict[str, Any] | None = None, counts: dict[str, int] = ROWS) -> Study:
    """A study folder with the first rows of every manifest; audio and model are links to the embedded ones."""
    data = folder / "data"
    data.mkdir(parents=True)
    (data / "audio").symlink_to(DATA / "audio")
    (data / "model").symlink_to(DATA / "model")
    for name, count in counts.items():
        rows = (DATA / f"{name}_manifest.jsonl").read_text().splitlines(keepends=True)
        (data / f"{name}_manifest.jsonl").write_text("".join(rows[:count]))
    (folder / "config.yaml").write_text(yaml.safe_dump(merged(CONFIG, changes or {}), sort_keys=False))
    return Study(folder)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result
