"""Training in two processes (gloo, on the CPU) equals training in one process that accumulates two batches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import Train

from lora.records.provenance import RunRecord

COMMON = ["--dropout", "0", "--max-steps", "2", "--batch-size", "2", "--eval-steps", "1"]


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("moonshine", []),
        ("whisper", []),
        pytest.param("whisper", ["--label-smoothing", "0.1"], marks=pytest.mark.slow),
    ],
)
def test_two_processes_equal_two_accumulated_batches(
    train: Train, tmp_path: Path, request: pytest.FixtureRequest, family: str, more: list[str]
) -> None:
    model = request.getfixturevalue(f"{family}_folder")
    one = train("one", *COMMON, "--gradient-accumulation", "2", *more, model=model)
    two = train("two", *COMMON, "--processes", "2", *more, model=model)
    assert (two.status, two.optimizer_steps, two.target_modules) == ("ok", 2, one.target_modules)
    for which in ("best", "last"):
        first, second = (
            load_file(tmp_path / f"adapters/{name}/{which}/adapter_model.safetensors") for name in ("one", "two")
        )
        assert first.keys() == second.keys()
        for name, value in first.items():
            torch.testing.assert_close(second[name], value, rtol=1e-3, atol=1e-4)
        assert any(bool(value.any()) for name, value in second.items() if "lora_B" in name)
    assert two.first_train_loss == pytest.approx(one.first_train_loss, rel=1e-4)
    assert two.gradient_norm_median == pytest.approx(one.gradient_norm_median, rel=1e-3)
    assert [p.loss for p in two.validation] == pytest.approx([p.loss for p in one.validation], rel=1e-4)
    logs = [(tmp_path / f"adapters/{name}/loss.tsv").read_text().splitlines() for name in ("one", "two")]
    assert [line.split("\t")[:2] for line in logs[0]] == [line.split("\t")[:2] for line in logs[1]]
    assert RunRecord.read(tmp_path / "adapters/two/train.run.json").optimizer_steps == 2


@pytest.mark.slow
@pytest.mark.parametrize("everyone", [False, True])
def test_a_killed_training_resumes_to_the_same_bytes(train: Train, tmp_path: Path, everyone: bool) -> None:
    """If only the parent is killed, its children keep the lock and finish; if all are killed, a checkpoint remains."""
    flags = ["--processes", "2", "--max-steps", "12", "--eval-steps", "1", "--batch-size", "2"]
    train("uninterrupted", *flags)
    arguments = [
        "--run", "killed", "--model-id", "model folder", "--dataset-path", "training.jsonl", "--validation-path",
        "validation.jsonl", "--learning-rate", "1e-2", "--seed", "3", "--rank", "2", "--alpha", "4", "--dropout", "0.1",
        "--warmup-steps", "1", "--device", "cpu", "--cpu-threads", "1", "--output-dir", "adapters/killed", "--work-dir",
        "work/killed",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "lora.runners.experiment", "train", *arguments, *flags]
    started = subprocess.Popen(command, env=environment, start_new_session=True)
    states = tmp_path / "work/killed/train"
    while not list(states.glob("*/checkpoints/checkpoint-*/trainer_state.json")):
        assert started.poll() is None
        time.sleep(0.05)
    if everyone:
        os.killpg(started.pid, signal.SIGKILL)
    else:
        started.kill()
    started.wait()
    train("killed", *flags)
    steps = RunRecord.read("adapters/killed/train.run.json").optimizer_steps or 0
    assert 0 < steps < 12 if everyone else steps == 0
    for which in ("best", "last"):
        uninterrupted, killed = (
            tmp_path / f"adapters/{name}/{which}/adapter_model.safetensors" for name in ("uninterrupted", "killed")
        )
        assert uninterrupted.read_bytes() == killed.read_bytes()


@pytest.mark.slow
def test_two_processes_are_deterministic_and_reused(train: Train, tmp_path: Path, moonshine_folder: Path) -> None:
    def weights(name: str) -> bytes:
        return (tmp_path / f"adapters/{name}/last/adapter_model.safetensors").read_bytes()

    train("first", *COMMON, "--processes", "2", model=moonshine_folder)
    train("second", *COMMON, "--processes", "2", model=moonshine_folder)
    assert weights("first") == weights("second")
    train("copied", *COMMON, "--processes", "2", model=moonshine_folder, work="first")
    assert RunRecord.read(tmp_path / "adapters/copied/train.run.json").optimizer_steps == 0


def test_a_problem_with_a_cause_code_is_recorded_once(train: Train) -> None:
    facts = train("none", "--processes", "2", "--target-modules", "query")
    assert (facts.status, facts.code) == ("impossible", "adapter.no_target_modules")


@pytest.mark.slow
def test_two_processes_stop_at_the_same_step(train: Train, moonshine_folder: Path) -> None:
    diverged = train("wild", *COMMON, "--processes", "2", "--learning-rate", "1e30", model=moonshine_folder)
    assert (diverged.status, diverged.code) == ("impossible", "training.diverged")
