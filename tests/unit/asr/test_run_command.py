"""`run`: the whole diagnosis by hand; every file of a study's results, each with a command that stands by itself."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from lora.records.labels import LabelFacts
from lora.records.provenance import RunRecord
from lora.records.verdict import Verdict
from lora.runners.experiment import main
from lora.runners.run import training_flags


def test_flags_of_settings() -> None:
    settings = {"max_steps": 2, "use_dora": False, "use_rslora": True, "eval_decode": {"num_beams": 1}}
    lists = {"modules_to_save": [], "target_parts": ["cross", "mlp"]}
    expected = ["--max-steps", "2", "--use-rslora", "--eval-decode", '{"num_beams": 1}', "--target-parts", "cross,mlp"]
    assert training_flags(settings | lists) == expected


def test_writes_what_a_study_writes(
    make_manifest: Callable[..., Path], tmp_path: Path, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = make_manifest("training", [0.5 + 0.1 * number for number in range(12)])
    domain = make_manifest("domain", [0.7, 0.9, 1.2, 1.4], first_seed=100)
    general = make_manifest("general", [0.8, 1.1], first_seed=200)
    output = tmp_path / "by hand"
    arguments = [
        "run", "--model-id", str(moonshine_folder), "--dataset-path", str(train), "--manifest-path", str(domain),
        "--safety-manifest-path", str(general), "--max-seconds", "1.5", "--max-steps", "2", "--learning-rate", "1e-3",
        "--seed", "3", "--eval-steps", "1", "--train-batch-size", "4", "--cpu-threads", "1", "--device", "cpu",
        "--label-smoothing", "0.1", "--decode", '{"max_new_tokens": 8}', "--output-dir", str(output),
        "--work-dir", str(tmp_path / "work"),
    ]  # fmt: skip
    assert main(arguments) == 0
    for path in (
        "config.json", "max_seconds.json", "splits/train.jsonl", "transcripts/base/evaluation.jsonl", "labels.json",
        "labels.hypotheses.jsonl", "mismatches/train.json", "mismatches/safety.json",
        "transcripts/tuned/safety.settings.json", "wer/tuned/safety.json", "adapters/tuned/best/adapter_config.json",
        "adapters/tuned/train.json", "adapters/tuned/loss.tsv", "effect/tuned.json", "paired/tuned/evaluation.json",
        "reachable/evaluation.json", "parity/tuned.json", "hardened.json", "verdict.json", "gate.json",
        "summary.md", "run.run.json",
    ):  # fmt: skip
        assert (output / path).is_file(), path
    assert Verdict.read(output / "verdict.json").gate_run == "tuned"
    losses = LabelFacts.read(output / "labels.json").losses
    assert [loss.label_smoothing for loss in losses] == [0.0, 0.1]
    told = capsys.readouterr().out
    assert "evaluation" in told
    assert "verdict: not ready for the sweep" in told
    command = shlex.split(RunRecord.read(output / "transcripts/tuned/transcribe.run.json").command)
    assert command[:4] == ["python", "-m", "lora.runners.experiment", "transcribe"]
    assert main(command[3:]) == 0
    assert RunRecord.read(output / "transcripts/tuned/transcribe.run.json").utterances_decoded == 0


def test_a_missing_manifest_stops_before_any_work(
    tmp_path: Path, moonshine_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["run", "--model-id", str(moonshine_folder), "--dataset-path", "no.jsonl"]
    arguments += ["--manifest-path", "nor.jsonl"]
    assert main([*arguments, "--output-dir", str(tmp_path / "out")]) == 2
    assert "no such file or folder: no.jsonl" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
