"""`experiment.json` of a training: what it records, and where attempts go that do not finish."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lora.data.manifest import read_manifest
from lora.records.base import UserError
from lora.records.experiment import Experiment
from lora.records.training import TrainFacts

Train = Callable[..., TrainFacts]


def record(tmp_path: Path, name: str = "one") -> Experiment:
    return Experiment.read(tmp_path / "adapters" / name / "experiment.json")


def kept(tmp_path: Path, name: str = "one") -> dict[str, Experiment]:
    """Attempts that did not finish, by the name of their file."""
    folder = tmp_path / "work" / name / "experiments" / name
    return {path.name: Experiment.read(path) for path in sorted(folder.glob("*.json"))}


def stop_at_step(monkeypatch: pytest.MonkeyPatch, step: int, error: BaseException) -> Any:
    """Raise an error in every training once it reaches a step; returns what undoes it."""
    from lora.asr.training.trainer import SpeechTrainer

    training_step = SpeechTrainer.training_step

    def stopped(self: SpeechTrainer, *arguments: Any, **keywords: Any) -> Any:
        if self.state.global_step == step:
            raise error
        return training_step(self, *arguments, **keywords)

    monkeypatch.setattr(SpeechTrainer, "training_step", stopped)
    return lambda: monkeypatch.setattr(SpeechTrainer, "training_step", training_step)


def test_a_finished_training_records_what_it_was(train: Train, tmp_path: Path) -> None:
    facts = train("one")
    found = record(tmp_path)
    assert (found.run, found.status, found.attempt, found.error, found.code) == ("one", "finished", 1, None, None)
    assert (found.optimizer_steps, found.execution.optimizer_steps) == (5, 5)
    assert found.settings == facts.settings
    assert (found.settings["seed"], found.execution.seed) == (3, 3)
    assert (found.model.id, found.model.hash) == ("model folder", facts.base_model_hash)
    assert (found.data["train"].rows, found.data["validation"].rows) == (9, 3)
    assert found.data["train"].hash != found.data["validation"].hash
    assert len(read_manifest(Path(found.data["train"].path)).rows) == 9
    assert found.execution.versions["peft"]
    assert (found.execution.device, found.execution.dtype) == ("cpu", "float32")
    assert found.hardware.cpu
    assert (found.hardware.cores or 0) >= 1
    assert (found.ended or "") >= found.execution.started
    assert (tmp_path / "work/one/train" / found.training).is_dir()
    run_record = json.loads((tmp_path / "adapters/one/train.run.json").read_text())
    assert found.execution.command == run_record["command"]
    assert kept(tmp_path) == {}


def test_other_rows_and_settings_are_another_training(train: Train, tmp_path: Path) -> None:
    train("one")
    before = record(tmp_path)
    train("one", "--seed", "4")
    after = record(tmp_path)
    assert before.data == after.data
    assert before.training != after.training
    assert after.attempt == 1


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "cancelled"), (UserError("the disk is full"), "failed")]
)
def test_an_attempt_that_does_not_finish_is_kept_apart(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: str
) -> None:
    undo = stop_at_step(monkeypatch, 3, error)
    with pytest.raises(AssertionError):
        train("one")
    assert not (tmp_path / "adapters/one/experiment.json").exists()
    (attempt,) = kept(tmp_path).values()
    assert (attempt.status, attempt.optimizer_steps) == (status, None)
    assert (attempt.error, bool(attempt.ended)) == (str(error) or "KeyboardInterrupt", True)
    undo()
    train("one")
    found = record(tmp_path)
    assert (found.status, found.attempt, found.optimizer_steps, found.execution.optimizer_steps) == (
        "finished",
        2,
        5,
        3,
    )
    assert list(kept(tmp_path)) == ["1.json"]


def test_a_killed_attempt_is_filed_by_the_next_one(train: Train, tmp_path: Path) -> None:
    train("one")
    killed = record(tmp_path).model_copy(update={"status": "running", "ended": None, "optimizer_steps": None})
    killed.write(tmp_path / "adapters/one/experiment.json")
    train("one", "--seed", "4")
    (attempt,) = kept(tmp_path).values()
    assert (attempt.status, attempt.ended, attempt.settings["seed"]) == ("cancelled", None, 3)
    assert (record(tmp_path).status, record(tmp_path).settings["seed"]) == ("finished", 4)


def test_a_result_that_is_only_copied_again_keeps_its_record(train: Train, tmp_path: Path) -> None:
    train("one")
    first = record(tmp_path)
    train("one")
    assert record(tmp_path) == first
    train("another", work="one")
    copied = record(tmp_path, "another")
    assert (copied.training, copied.optimizer_steps, copied.execution.optimizer_steps) == (first.training, 5, 0)


def test_a_record_of_another_version_is_replaced(train: Train, tmp_path: Path) -> None:
    (tmp_path / "adapters/one").mkdir(parents=True)
    (tmp_path / "adapters/one/experiment.json").write_text('{"status": "unknown"}')
    train("one")
    assert record(tmp_path).status == "finished"


def test_an_impossible_training_is_recorded_with_its_cause(train: Train, tmp_path: Path) -> None:
    facts = train("one", "--target-modules", "no_such_module")
    assert (record(tmp_path).status, record(tmp_path).code) == ("finished", facts.code)
    assert facts.code is not None
