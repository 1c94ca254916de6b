"""The study that faults are planted in: the embedded one with fewer rows and steps, all rules and checks on.

Its adapter truly helps (the domain's WER falls by a quarter), so that faults that make a run worse can be planted too.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
from small_study import DATA, Study, make_study, merged

ROWS = {"train": 100, "heldout": 28, "domain": 75, "test": 6}
CONFIG: dict[str, Any] = {
    "durations": {"min_train_samples": 60},
    "statistics": {"target_gain": 0.2},
    "labels": {"sample": 32},
    "adapter": {"sample": 8},
    "candidates": {
        "lora": {
            "train": {"max_steps": 80, "eval_steps": 20, "batch_size": 8, "warmup_steps": 5, "learning_rate": 0.002}
        }
    },
}
SIZE = (
    f"{ROWS['train']} training, {ROWS['heldout']} heldout, {ROWS['domain']} domain and {ROWS['test']} test rows, "
    f"{CONFIG['candidates']['lora']['train']['max_steps']} optimiser steps"
)
Samples = npt.NDArray[np.float32]


def healthy_study(folder: Path, changes: dict[str, Any] | None = None) -> Study:
    return make_study(folder, merged(CONFIG, changes or {}), ROWS)


def embedded_rows(name: str) -> list[dict[str, Any]]:
    """All rows of a manifest of the embedded study."""
    return [json.loads(line) for line in (DATA / f"{name}_manifest.jsonl").read_text().splitlines()]


def change_rows(study: Study, name: str, change: Callable[[dict[str, Any]], dict[str, Any]], every: int = 1) -> None:
    """Write a manifest again with every n-th row changed."""
    rows = study.rows(name)
    study.write_rows(name, [change(row) if n % every == 0 else row for n, row in enumerate(rows)])


def change_audio(
    study: Study, name: str, change: Callable[[Samples, int], Samples], every: int = 1, rate: int | None = None
) -> None:
    """Give every n-th row of a manifest audio of its own; `rate` is that of the new file (Hz), if another one."""

    def changed(row: dict[str, Any]) -> dict[str, Any]:
        samples, own = soundfile.read(study.folder / "data" / row["audio"], dtype="float32")
        audio = f"changed/{row['id']}.wav"
        (study.folder / "data/changed").mkdir(exist_ok=True)
        soundfile.write(study.folder / "data" / audio, change(samples, own), rate or own)
        return {**row, "audio": audio}

    change_rows(study, name, changed, every)


def own_model(study: Study) -> Path:
    """A model folder of the study's own, whose files may be changed."""
    link, folder = study.folder / "data/model", study.folder / "data/own model"
    shutil.copytree(link.resolve(), folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    study.configure({"model": {"id": "data/own model"}})
    return folder


def change_json(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps(merged(json.loads(path.read_text()), changes)))


def use_external_adapter(study: Study, folder: str = "external", **candidate: Any) -> Path:
    """Make a copy of the trained adapter the only candidate, as if it came from another tool."""
    external = study.folder / folder
    shutil.copytree(study.results / "adapters/lora/best", external)
    study.configure({"candidates": {"lora": None, "theirs": {"adapter": folder, **candidate}}})
    return external


def use_external_transcripts(study: Study, run: str = "lora", name: str = "theirs", alone: bool = True) -> Path:
    """Make a copy of a run's transcripts and settings a candidate, as if they came from another pipeline."""
    external = study.folder / name
    external.mkdir()
    for path in (study.results / "transcripts" / run).glob("*.json*"):
        if not path.name.endswith(".run.json"):
            shutil.copyfile(path, external / path.name)
    hypotheses = {manifest: f"{name}/{manifest}.jsonl" for manifest in evaluated(study)}
    study.configure({"candidates": {**({"lora": None} if alone else {}), name: {"hypotheses": hypotheses}}})
    return external


def evaluated(study: Study) -> list[str]:
    """Names of the evaluation manifests."""
    return [name for name in study.config()["manifests"] if name != "train"]


def change_transcripts(path: Path, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Write a file of transcripts again; None leaves an utterance out."""
    rows = (change(json.loads(line)) for line in path.read_text().splitlines())
    write_lines(path, (row for row in rows if row is not None))


def write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
