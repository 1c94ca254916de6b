"""Training history from the files next to an external adapter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lora.asr.training.history import training_history
from lora.records.base import UserError
from lora.records.training import TrainFacts


def logged(step: int, loss: float = 1.0, norm: float = 0.5) -> dict[str, Any]:
    return {"step": step, "loss": loss, "grad_norm": norm, "learning_rate": 1e-3 / step}


def trainer_folder(folder: Path, name: str, history: list[dict[str, Any]], **state: Any) -> Path:
    adapter = folder / name
    adapter.mkdir()
    contents = {"global_step": 40, "max_steps": 40, "log_history": history, **state}
    (adapter / "trainer_state.json").write_text(json.dumps(contents))  # NaN as the Trainer writes it
    return adapter


VALIDATED = [{"step": 20, "eval_loss": 0.4}, {"step": 40, "eval_loss": 0.6, "eval_wer": 0.3}]


def test_an_adapter_without_history_has_unknown_facts(tmp_path: Path) -> None:
    facts = training_history("theirs", tmp_path)
    assert facts.source == ""
    assert facts.optimizer_steps is None


def test_the_state_of_a_trainer(tmp_path: Path) -> None:
    adapter = trainer_folder(tmp_path, "checkpoint-40", [logged(1), *VALIDATED[:1], logged(40, 0.2), *VALIDATED[1:]])
    facts = training_history("theirs", adapter)
    assert (facts.run, facts.source) == ("theirs", str(adapter / "trainer_state.json"))
    assert (facts.optimizer_steps, facts.planned_steps) == (40, 40)
    assert (facts.first_train_loss, facts.final_train_loss) == (1.0, 0.2)
    assert facts.learning_rate_peak == 1e-3
    assert [(p.step, p.loss, p.wer) for p in facts.validation] == [(20, 0.4, None), (40, 0.6, 0.3)]
    assert (facts.best_step, facts.best_kept) == (20, False)
    assert facts.trainable_parameters is None


@pytest.mark.parametrize(
    ("name", "state", "best_kept"),
    [
        ("checkpoint-20", {}, True),
        ("checkpoint-40", {"best_model_checkpoint": "out/checkpoint-40"}, True),
        ("checkpoint-20", {"best_global_step": 40}, False),
        ("final", {}, None),
    ],
)
def test_whether_the_adapter_is_the_best_step(
    tmp_path: Path, name: str, state: dict[str, Any], best_kept: bool | None
) -> None:
    facts = training_history("theirs", trainer_folder(tmp_path, name, [logged(1), *VALIDATED], **state))
    assert facts.best_kept is best_kept


NAN = float("nan")


@pytest.mark.parametrize(
    ("history", "step"),
    [
        ([logged(1), logged(2, NAN), logged(3)], 2),
        ([logged(1), logged(2, 0.0, NAN), logged(3, 0.0, NAN)], 2),
        ([logged(1, norm=NAN), logged(2, norm=float("inf")), logged(3)], None),  # half precision finding its scale
        ([logged(1), logged(2)], None),
    ],
)
def test_a_loss_that_becomes_not_finite(tmp_path: Path, history: list[dict[str, Any]], step: int | None) -> None:
    facts = training_history("theirs", trainer_folder(tmp_path, "out", history))
    assert facts.non_finite_step == step
    assert facts.code == (None if step is None else "training.diverged")


def test_a_run_of_this_software(tmp_path: Path) -> None:
    TrainFacts(run="short", optimizer_steps=40, best_step=20, best_kept=True).write(tmp_path / "train.json")
    for name, best_kept in (("best", True), ("last", False)):
        (tmp_path / name).mkdir()
        facts = training_history("theirs", tmp_path / name)
        assert (facts.run, facts.best_kept, facts.optimizer_steps) == ("theirs", best_kept, 40)


@pytest.mark.parametrize("text", ["[]", "{}", '{"log_history": [{"loss": 1}]}', "not JSON"])
def test_a_file_that_is_not_a_trainer_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "trainer_state.json").write_text(text)
    with pytest.raises(UserError, match=r"trainer_state\.json: not the state of a Trainer"):
        training_history("theirs", tmp_path)
