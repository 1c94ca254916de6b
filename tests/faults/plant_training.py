"""Faults of training: of the short run by its settings, of external adapters by what their trainer recorded."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cases import fault, neighbour
from healthy_study import use_external_adapter
from small_study import Study


@fault("training.lr_not_applied", "learning rate 0")
def learning_rate_zero(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"learning_rate": 0.0}}}})


@fault("training.lr_not_applied", "a warm-up longer than the training")
def endless_warmup(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"warmup_steps": 100000}}}})


@neighbour("training.lr_not_applied", "a warm-up of half the steps, falling as a cosine")
def long_warmup(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"warmup_steps": 40, "scheduler": "cosine"}}}})


@fault("training.diverged", "a learning rate of 1e30")
def learning_rate_huge(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"learning_rate": 1e30, "scheduler": "constant"}}}})


def use_external_history(study: Study, logged: list[dict[str, Any]], name: str = "checkpoint-80", **state: Any) -> Path:
    """Give the trained adapter as a checkpoint of the Hugging Face Trainer, with this log."""
    adapter = use_external_adapter(study, name)
    whole = {"global_step": 80, "max_steps": 80, "log_history": logged, **state}
    (adapter / "trainer_state.json").write_text(json.dumps(whole))
    return adapter


def log(losses: list[float], norm: float = 0.7, rate: float = 1e-3) -> list[dict[str, Any]]:
    """A training loss every ten steps."""
    return [
        {"step": 10 * n, "loss": loss, "grad_norm": norm, "learning_rate": rate} for n, loss in enumerate(losses, 1)
    ]


FALLING = [2.0, 1.5, 1.2, 1.0, 0.9, 0.85, 0.8, 0.78]


def validated(losses: list[float]) -> list[dict[str, Any]]:
    return [{"step": 20 * n, "eval_loss": loss} for n, loss in enumerate(losses, 1)]


@neighbour("training.diverged", "an external adapter with a healthy log")
def sound_log(study: Study) -> None:
    use_external_history(study, log(FALLING) + validated([1.0, 0.9, 0.85, 0.84]))


@fault("training.diverged", "an external adapter whose gradients were NaN from step 40 on")
def gradients_lost(study: Study) -> None:
    broken = [{**entry, "loss": 0.0, "grad_norm": float("nan")} for entry in log(FALLING)]
    use_external_history(study, [*log(FALLING)[:3], *broken[3:]])


@fault("training.no_gradient", "an external adapter whose gradients were 0 throughout")
def gradients_zero(study: Study) -> None:
    use_external_history(study, log([2.0] * 8, norm=0.0))


@neighbour("training.no_gradient", "an external adapter with tiny gradients")
def gradients_tiny(study: Study) -> None:
    use_external_history(study, log(FALLING, norm=1e-5))


@fault("training.steps_short", "an external adapter that was stopped at step 80 of 4,000")
def stopped(study: Study) -> None:
    use_external_history(study, log(FALLING), max_steps=4000)


@neighbour("training.steps_short", "an external adapter without a training record")
def unrecorded(study: Study) -> None:
    use_external_adapter(study)


@fault("training.overfit", "an external adapter whose validation loss rose by half")
def overfitted(study: Study) -> None:
    use_external_history(
        study, log([2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.03, 0.02]) + validated([1.0, 0.9, 1.2, 1.4]), "final"
    )


@neighbour("training.overfit", "an external adapter whose validation loss wavered")
def wavering(study: Study) -> None:
    use_external_history(study, log(FALLING) + validated([1.0, 0.85, 0.84, 0.86]), "final")


@fault("training.best_not_kept", "the last checkpoint as candidate, where an earlier one was best")
def last_checkpoint(study: Study) -> None:
    use_external_history(study, log(FALLING) + validated([1.0, 0.83, 0.84, 0.86]))


@neighbour("training.best_not_kept", "the best checkpoint as candidate, which is not the last")
def best_checkpoint(study: Study) -> None:
    use_external_history(
        study, log(FALLING) + validated([1.0, 0.83, 0.84, 0.86]), "checkpoint-40", global_step=40, max_steps=40
    )


def use_external_run(study: Study, changes: dict[str, Any]) -> None:
    """Make the trained run, with its facts changed, a candidate trained elsewhere with this software."""
    adapter = use_external_adapter(study, "elsewhere/best")
    facts = json.loads((study.results / "adapters/lora/train.json").read_text())
    (adapter.parent / "train.json").write_text(json.dumps(facts | changes))


@fault("training.wrong_parameters", "an external run that trained the output layer as well")
def more_parameters(study: Study) -> None:
    use_external_run(study, {"other_trainable": ["proj_out.weight", "model.decoder.norm.weight"]})


@neighbour("training.wrong_parameters", "an external run of this software as it was")
def run_as_it_was(study: Study) -> None:
    use_external_run(study, {})
