"""Training history of an external adapter, read from the files that trainers write next to it. Torch-free.

Two formats are supported: `train.json` of this software (next to the folders `best` and `last` of a run), and
`trainer_state.json` of the Hugging Face Trainer (in its checkpoint folders, or in the folder it saved to). Facts that
the file does not record are None. `training_args.bin` and optimiser states are pickles and are never read.
"""

from __future__ import annotations

import json
import math
import re
import statistics
from pathlib import Path
from typing import Any

from lora.asr.training.state import BEST, FACTS, LAST
from lora.records.base import UserError
from lora.records.training import TrainFacts, ValidationPoint

TRAINER_STATE = "trainer_state.json"
CHECKPOINT = re.compile(r"checkpoint-(\d+)")


def history_file(adapter: Path) -> Path | None:
    """The file that records an adapter's training, or None."""
    candidates = [adapter / FACTS, *([adapter.parent / FACTS] if adapter.name in {BEST, LAST} else [])]
    return next((path for path in (*candidates, adapter / TRAINER_STATE) if path.is_file()), None)


def training_history(run: str, adapter: Path) -> TrainFacts:
    """Read the training facts of an external adapter; all None if no file records them.

    Raises:
        UserError: The file is not what its name says.
    """
    path = history_file(adapter)
    if path is None:
        return TrainFacts(run=run, source="")
    if path.name == FACTS:
        return _own_facts(run, path, adapter)
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        return _from_trainer(run, path, state, _number(CHECKPOINT.fullmatch(adapter.name)))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path}: not the state of a Trainer ({error}); fix or remove it") from None


def _own_facts(run: str, path: Path, adapter: Path) -> TrainFacts:
    """Facts as recorded, except that the adapter `last` is the best step only if that was the final step."""
    facts = TrainFacts.read(path)
    best_kept = facts.best_kept
    if adapter.name == LAST and facts.best_step is not None:
        best_kept = facts.best_step == facts.optimizer_steps
    return facts.model_copy(update={"run": run, "source": str(path), "best_kept": best_kept})


def _from_trainer(run: str, path: Path, state: dict[str, Any], step: int | None) -> TrainFacts:
    """Convert a Trainer's state; `step` is the step of the given weights, if the folder's name contains it."""
    history: list[dict[str, Any]] = state["log_history"]
    logged = [entry for entry in history if "loss" in entry]
    norms = [float(entry["grad_norm"]) for entry in logged if entry.get("grad_norm") is not None]
    step_broken = _not_finite_from(logged)
    validation = [
        ValidationPoint(step=entry["step"], loss=_finite(entry["eval_loss"]), wer=_finite(entry.get("eval_wer")))
        for entry in history
        if "eval_loss" in entry
    ]
    best = _best_step(state, validation)
    problem: dict[str, Any] = {}
    if step_broken is not None:
        message = f"{path}: loss or gradient is not finite from step {step_broken}"
        problem = {
            "status": "impossible",
            "code": "training.diverged",
            "message": message,
            "non_finite_step": step_broken,
        }
    return TrainFacts(
        run=run,
        source=str(path),
        planned_steps=state["max_steps"],
        optimizer_steps=state["global_step"],
        learning_rate_peak=max((float(e["learning_rate"]) for e in logged if "learning_rate" in e), default=None),
        gradient_norm_median=_finite(statistics.median(norms)) if norms else None,
        first_train_loss=_finite(logged[0]["loss"]) if logged else None,
        final_train_loss=_finite(logged[-1]["loss"]) if logged else None,
        validation=validation,
        best_step=best,
        best_kept=None if best is None or step is None else best == step,
        **problem,
    )


def _not_finite_from(logged: list[dict[str, Any]]) -> int | None:
    """First step whose loss is not finite, or after which no gradient is finite.

    The Trainer hides losses that are not finite (`logging_nan_inf_filter`), but not their gradients. Single gradients
    that are not finite are usual in half precision, which skips such steps.
    """
    finite = [math.isfinite(float(entry.get("grad_norm") or 0.0)) for entry in logged]
    last_finite = max((position for position, is_finite in enumerate(finite) if is_finite), default=-1)
    broken = (e for i, e in enumerate(logged) if i > last_finite or not math.isfinite(float(e["loss"])))
    return next((int(entry["step"]) for entry in broken), None)


def _best_step(state: dict[str, Any], validation: list[ValidationPoint]) -> int | None:
    """The best step that the Trainer recorded, or else the step of the lowest validation loss."""
    if state.get("best_global_step"):
        return int(state["best_global_step"])
    named = _number(CHECKPOINT.search(str(state.get("best_model_checkpoint") or "")))
    if named is not None:
        return named
    measured = [(point.loss, point.step) for point in validation if point.loss is not None]
    return min(measured)[1] if measured else None


def _number(match: re.Match[str] | None) -> int | None:
    return int(match[1]) if match else None


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
