"""The workflow as Snakemake sees it: graphs, targets, folders and workflows that use it (`make lint` checks style)."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from small_study import CONFIG, REPOSITORY, Study, make_study

TARGETS = ["all", "publish", "durations", "baseline", "effect", "gate", "report", "listen", "sweep"]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "snakemake", *arguments], cwd=folder, capture_output=True, text=True)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_plan(tmp_path: Path, target: str) -> None:
    study = make_study(tmp_path / "study")
    done = study.snakemake("-n", target)
    assert done.returncode == 0, done.stderr


def test_rulegraph_and_summary_show_every_stage(study: Study) -> None:
    graph = study.snakemake("--rulegraph", "mermaid-js").stdout
    for rule in (
        "validate_manifest",
        "choose_max_seconds",
        "train_adapter",
        "measure_effect",
        "decide_verdict",
        "publish",
    ):
        assert rule in graph
    summary = study.snakemake("--summary").stdout
    assert "results/verdict.json" in summary
    assert "no update" in summary


@pytest.mark.parametrize(
    ("options", "memory", "minutes"),
    [
        ([], "2000", "30"),
        (["--default-resources", "slurm_partition=x"], "2000", "30"),
        (["--default-resources", "mem_mb=9000", "runtime=7"], "9000", "7"),
    ],
    ids=["no profile", "profile without memory", "profile with memory"],
)
def test_default_resources_give_way_to_a_profile(tmp_path: Path, options: list[str], memory: str, minutes: str) -> None:
    study = make_study(tmp_path / "study")
    done = study.snakemake("-n", "results/max_seconds.json", "--workflow-profile", "none", *options)
    assert done.returncode == 0, done.stderr
    planned = {}
    for rule, job in re.findall(
        r"^(?:rule|checkpoint) (\w+):\n(.*?)\n(?=\[|\n)", done.stdout, re.MULTILINE | re.DOTALL
    ):
        planned[rule] = dict(re.findall(r"\b(mem_mb|runtime)=(\w+)", job))
    assert planned["choose_max_seconds"] == {"mem_mb": memory, "runtime": minutes}
    assert planned["validate_manifest"] == {"mem_mb": memory, "runtime": "60"}
    assert planned["inspect_audio"] == {"mem_mb": "4000", "runtime": "240"}


def test_a_configuration_larger_than_a_command_line_argument(tmp_path: Path) -> None:
    sweep = {f"entry-{number}": {"rank": number + 1} for number in range(400)}
    study = make_study(tmp_path / "study", {"sweep": sweep})
    study.run("results/config.json")
    recorded = (study.results / "config.json").read_text()
    assert len(json.dumps(json.loads(recorded))) > 128 * 1024
    assert json.loads(recorded)["sweep"]["entry-399"]["rank"] == 400
    assert "Nothing to be done" in study.snakemake("-n", "results/config.json").stdout
    study.configure({"gate": {"run": "lora"}})
    study.run("results/config.json")
    assert json.loads((study.results / "config.json").read_text())["gate"] == {"run": "lora"}


def test_another_folder_and_an_explicit_configfile(computed: Study, tmp_path: Path) -> None:
    done = snakemake(
        tmp_path,
        *("-s", str(REPOSITORY / "Snakefile"), "--cores", "2", "-n", "all"),
        *("--directory", str(computed.folder), "--configfile", str(computed.folder / "config.yaml")),
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


def test_another_workflow_can_use_it_as_a_module(tmp_path: Path) -> None:
    study = make_study(tmp_path / "another study")
    config = yaml.safe_dump(CONFIG)
    (study.folder / "other.yaml").write_text(config)
    (study.folder / "config.yaml").unlink()
    (study.folder / "Snakefile").write_text(
        f'''
configfile: "other.yaml"

module diagnosis:
    snakefile: "{REPOSITORY}/Snakefile"
    config: config

use rule * from diagnosis as diagnosis_*

rule everything:
    default_target: True
    input: "results/splits/train.jsonl", "results/wer/base/test.json"
'''
    )
    done = snakemake(study.folder, "--cores", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study.results / "wer/base/test.json").exists()
