"""One training dealt out to two processes (gloo, on the CPU) is the training of one that accumulates two batches."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_models import Train

from lora.records import RunRecord, TrainFacts

COMMON = ["--dropout", "0", "--max-steps", "2", "--batch-size", "2", "--eval-steps", "1"]


@pytest.mark.parametrize(
    ("family", "more"), [("moonshine", []), ("whisper", []), ("whisper", ["--label-smoothing", "0.1"])]
)
def test_two_processes_are_two_accumulated_batches(
    train: Train, tmp_path: Path, request: pytest.FixtureRequest, family: str, more: list[str]
) -> None:
    model = request.getfixturevalue(f"{family}_folder")
    one = train("one", *COMMON, "--gradient-accumulation", "2", *more, model=model)
    two = train("two", *COMMON, "--processes", "2", *more, model=model)
    assert (two.status, two.optimizer_steps, two.target_modules) == ("ok", 2, one.target_modules)
    for which in ("best", "last"):
        first, second = (load_file(tmp_path / f"adapters/{name}/{which}/adapter_model.safetensors") for name in
                         ("one", "two"))  # fmt: skip
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


def test_two_processes_give_the_same_bytes_again_go_on_and_are_copied(
    train: Train, tmp_path: Path, moonshine_folder: Path
) -> None:
    def weights(name: str) -> bytes:
        return (tmp_path / f"adapters/{name}/last/adapter_model.safetensors").read_bytes()

    train("first", *COMMON, "--processes", "2", model=moonshine_folder)
    train("second", *COMMON, "--processes", "2", model=moonshine_folder)
    assert weights("first") == weights("second")
    train("copied", *COMMON, "--processes", "2", model=moonshine_folder, work="first")
    assert RunRecord.read(tmp_path / "adapters/copied/train.run.json").optimizer_steps == 0


def test_a_condition_with_a_cause_is_told_by_one_of_them(train: Train, moonshine_folder: Path) -> None:
    facts: TrainFacts = train("none", "--processes", "2", "--target-modules", "query", model=moonshine_folder)
    assert (facts.status, facts.code) == ("impossible", "adapter.no_target_modules")
    diverged = train("wild", *COMMON, "--processes", "2", "--learning-rate", "1e30", model=moonshine_folder)
    assert (diverged.status, diverged.code) == ("impossible", "training.diverged")
