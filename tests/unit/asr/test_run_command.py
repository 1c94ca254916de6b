"""`experiment run`: a study folder from flags, and the same results as a study written by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from preloaded_python import preloaded_python
from small_study import REPOSITORY, Study
from stand_in import WORKFLOW, terminated

from lora.records.labels import LabelFacts
from lora.records.verdict import Verdict
from lora.runners.experiment import main

# As in an activated environment: `python` is this one, and finds the library.
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "PYTHONPATH": str(REPOSITORY / "src"),
}


@pytest.fixture
def flags(make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path) -> list[str]:
    train = make_manifest("training", [0.5 + 0.1 * number for number in range(12)])
    domain = make_manifest("domain", [0.7, 0.9, 1.2, 1.4], first_seed=100)
    general = make_manifest("general", [0.8, 1.1], first_seed=200)
    replay = make_manifest("talks", [0.6, 1.0], first_seed=300)
    return [
        "run", "--model-id", str(moonshine_folder), "--dataset-path", str(train), "--manifest-path", str(domain),
        "--safety-manifest-path", str(general), "--max-seconds", "1.5", "--max-steps", "2", "--learning-rate", "1e-3",
        "--seed", "3", "--eval-steps", "1", "--batch-size", "4", "--cpu-threads", "1", "--device", "cpu",
        "--label-smoothing", "0.1", "--replay-path", str(replay), "--replay-share", "0.25",
        "--decode", '{"max_new_tokens": 8}', "--decode-batch-size", "3", "--cores", "2",
    ]  # fmt: skip


def test_run_gives_the_results_of_the_equivalent_study(
    flags: list[str],
    tmp_path: Path,
    moonshine_folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", preloaded_python())  # which runs Snakemake
    folder = tmp_path / "by hand"
    assert main([*flags, "--output-dir", str(folder), "--work-dir", str(tmp_path / "caches")]) == 0
    printed = capfd.readouterr().out
    assert printed.startswith("WER on rows within max_seconds:\nmanifest")
    assert "verdict: not ready for the sweep" in printed
    assert Verdict.read(folder / "results/verdict.json").gate_run == "tuned"
    losses = LabelFacts.read(folder / "results/labels.json").losses
    assert [loss.label_smoothing for loss in losses] == [0.0, 0.1]
    assert list((tmp_path / "caches/transcripts").iterdir())
    assert {path.name for path in folder.iterdir()} >= {"config.yaml", "results", "docs", "notes.md"}

    # Another folder at the same depth, with a configuration that a person would write for these flags.
    equivalent = Study(tmp_path / "equivalent")
    equivalent.folder.mkdir()
    config = {
        "model": {
            "id": os.path.relpath(moonshine_folder, equivalent.folder),
            "device": "cpu",
            "cpu_threads": 1,
            "batch_size": 3,
        },
        "manifests": {
            "train": "../training.jsonl",
            "evaluation": "../domain.jsonl",
            "safety": "../general.jsonl",
            "replay": "../talks.jsonl",
        },
        "roles": {"general": ["safety"], "domain": ["evaluation"]},
        "durations": {"max_seconds": 1.5},
        "split": {"seed": 3},
        "decode": {"max_new_tokens": 8},
        "candidates": {
            "tuned": {
                "train": {
                    "max_steps": 2,
                    "learning_rate": 0.001,
                    "seed": 3,
                    "eval_steps": 1,
                    "batch_size": 4,
                    "label_smoothing": 0.1,
                    "replay_share": 0.25,
                }
            }
        },
    }
    (equivalent.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    equivalent.run()
    results, by_hand = Study(folder).digests(), equivalent.digests()
    # Flags are written in another order than a person's, and as floats: equal in value, not in bytes.
    del results["config.json"], by_hand["config.json"]
    assert by_hand == results
    read = [json.loads((study / "results/config.json").read_text()) for study in (folder, equivalent.folder)]
    assert read[0] == read[1]

    # The command that is recorded with transcripts, typed again, decodes nothing.
    record = Path("results/transcripts/tuned/transcribe.run.json")
    command = json.loads((equivalent.folder / record).read_text())["command"]
    subprocess.run(command, shell=True, cwd=equivalent.folder, env=ENVIRONMENT, check=True, capture_output=True)
    repeated = json.loads((equivalent.folder / record).read_text())
    assert (repeated["utterances_decoded"], repeated["utterances_reused"]) == (0, 6)


def test_replay_needs_a_manifest(flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = flags.index("--replay-path")
    assert main([*flags[:where], *flags[where + 2 :], "--output-dir", str(tmp_path / "out")]) == 2
    assert "it needs --replay-path" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_with_a_configuration_of_its_own_is_left_alone(
    flags: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/config.yaml").write_text("model: null\n")
    assert main([*flags, "--output-dir", str(tmp_path / "mine")]) == 2
    assert "it has a config.yaml of its own" in capsys.readouterr().err
    assert (tmp_path / "mine/config.yaml").read_text() == "model: null\n"


def test_a_missing_manifest_stops_before_any_work(
    tmp_path: Path, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "--model-id", str(moonshine_folder), "--dataset-path", "no.jsonl"]
    arguments += ["--manifest-path", "nor.jsonl"]
    assert main([*arguments, "--output-dir", str(tmp_path / "out")]) == 2
    assert "no such file or folder: no.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_signal_to_the_command_ends_the_workflow(tmp_path: Path) -> None:
    workflow = tmp_path / "workflow.py"
    workflow.write_text(WORKFLOW)
    code = f"import sys; from lora.runners.run import _run_workflow; _run_workflow([sys.executable, {str(workflow)!r}])"
    command = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True
    )
    assert "ended by SIGTERM; run the same command again" in terminated(command, tmp_path)
    assert (tmp_path / "ended").exists()
