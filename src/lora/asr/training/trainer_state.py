"""Training facts from the state of the Hugging Face Trainer (`trainer_state.json`). Torch-free."""

from __future__ import annotations

import json
import math
import re
import statistics
from pathlib import Path
from typing import Any

from lora.asr.training.loss_trend import first_and_last_tenth, rate_trend
from lora.records.training import EarlyStopping, TrainFacts, ValidationPoint, WerUnit

CHECKPOINT_NAME = re.compile(r"checkpoint-(\d+)[/\\]*$")
OF_A_SET = re.compile(r"eval_(.+)_(?:loss|wer)")
NUMBER = re.compile(
    r"loss|grad_norm|learning_rate|eval_(.+_)?(loss|wer|cer)"
)  # keys of the log that are read as numbers
MEASURED = re.compile(r"loss|eval_(.+_)?(loss|wer)")  # and those that need a step
MOST_STEPS = 10**12
# A WER above 3 is in percent: as a fraction it would be three errors for every word of the reference. Up to 1 it is a
# fraction. Between them it may be both, a few errors in 100 words or more errors than words.
LARGEST_FRACTION = 3.0
# Validation loss (nats per token) that separates the two: with a few errors in 100 words it is lower, with more errors
# than words higher.
LOSS_BETWEEN = 0.2
# Losses are logged with four decimals, so a loss that falls to 0 passes through small values. From a larger one it
# cannot: the Trainer logs 0 in place of losses that are NaN (`logging_nan_inf_filter`).
SMALL_LOSS = 0.05
PATIENCE = {"early_stopping_patience", "early_stopping_patience_counter"}
ERRORS = ("eval_wer", "eval_cer", "eval_loss")  # metrics that are better the lower they are


def facts_of_state(run: str, path: Path, state: dict[str, Any], weights_step: int | None) -> TrainFacts:
    """Convert a Trainer's state.

    Args:
        run: Name of the candidate.
        path: The file, for the record and messages.
        state: Its contents.
        weights_step: Step of the given weights, if known.

    Raises:
        ValueError, TypeError, KeyError, AttributeError, OverflowError: It is not the state of a Trainer.
    """
    _require_state(state)
    history: list[dict[str, Any]] = state["log_history"]
    logged = [entry for entry in history if "loss" in entry]
    evaluated = _first_of_each_step(_evaluations(history))
    norms = [float(entry["grad_norm"]) for entry in logged if entry.get("grad_norm") is not None]
    rates = [float(entry["learning_rate"]) for entry in logged if entry.get("learning_rate") is not None]
    unit, guessed = wer_unit(evaluated)
    validation = _validation(evaluated, unit)
    worst = _worst_as_best(state, evaluated)
    best = _best_step(state, validation, weights_step) if worst is None else _lowest(validation, weights_step)
    first, final = first_and_last_tenth([float(entry["loss"]) for entry in logged])
    return TrainFacts(
        run=run,
        source=str(path),
        planned_steps=state["max_steps"],
        optimizer_steps=state["global_step"],
        epochs=_finite(state.get("epoch")),
        early_stopping=_early_stopping(state),
        learning_rate_peak=max(rates, default=None),
        learning_rate_last=rates[-1] if rates else None,
        learning_rate_trend=rate_trend(rates),
        gradient_norm_median=_finite(statistics.median(norms)) if norms else None,
        first_train_loss=first,
        final_train_loss=final,
        validation=validation,
        wer_unit=unit,
        wer_unit_guessed=guessed,
        best_step=best,
        worst_as_best=worst,
        weights_step=weights_step,
        best_kept=None if best is None or weights_step is None else best == weights_step,
        **_divergence(path, logged, evaluated),
    )


def _require_state(state: Any) -> None:
    """Raise ValueError with the key of a value that no Trainer writes."""
    _require(isinstance(state, dict), "its content", state, "an object")
    history = state["log_history"]
    _require(isinstance(history, list), "log_history", history, "a list")
    for number, entry in enumerate(history):
        where = f"log_history[{number}]"
        _require(isinstance(entry, dict), where, entry, "an object")
        for key, value in entry.items():
            if NUMBER.fullmatch(key) and not (value is None and key != "loss"):
                _require(_is_number(value), f"{where}.{key:.60}", value, "a number")
        if any(map(MEASURED.fullmatch, entry)):
            _require(_is_whole(entry.get("step")), f"{where}.step", entry.get("step"), "a number of steps")
    for key, smallest in (("global_step", 0), ("max_steps", -1)):
        _require(_is_whole(state[key], smallest), key, state[key], "a number of steps")
    best = state.get("best_global_step")
    _require(best is None or _is_whole(best), "best_global_step", best, "a number of steps")
    for key in ("epoch", "best_metric"):
        value = state.get(key)
        _require(value is None or _is_number(value), key, value, "a number")
    _require_callbacks(state.get("stateful_callbacks"))


def _require_callbacks(callbacks: Any) -> None:
    """Raise ValueError with the key of a value in `stateful_callbacks` that no Trainer writes."""
    _require(isinstance(callbacks, dict | None), "stateful_callbacks", callbacks, "an object")
    for name in ("EarlyStoppingCallback", "TrainerControl"):
        recorded = (callbacks or {}).get(name)
        for callback in recorded if isinstance(recorded, list) else [recorded]:
            where = f"stateful_callbacks.{name}"
            _require(isinstance(callback, dict | None), where, callback, "an object")
            for key in ("args", "attributes"):
                values = (callback or {}).get(key, {})
                _require(isinstance(values, dict), f"{where}.{key}", values, "an object")
                for inner in PATIENCE & values.keys():
                    value = values[inner]
                    _require(_is_whole(value), f"{where}.{key}.{inner}", value, "a number of validations")


def _require(fits: bool, key: str, value: Any, expected: str) -> None:
    if not fits:
        raise ValueError(f"{key} is {json.dumps(value):.60}; expected {expected}")


def _is_whole(value: Any, smallest: int = 0) -> bool:
    """Whether a value is a whole number that a program can count to; some write it as 4.0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and smallest <= value <= MOST_STEPS and value == int(value)


def _is_number(value: Any) -> bool:
    """Whether a value is a number, or the text of one, such as "NaN", which JSON does not have."""
    try:
        float(value)
    except (TypeError, ValueError, OverflowError):
        return False
    return not isinstance(value, bool)


def _evaluations(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries with `eval_loss` or `eval_wer`; of several evaluation sets (`eval_<set>_loss`) those of the first."""
    plain = [entry for entry in history if "eval_loss" in entry or "eval_wer" in entry]
    named = next((match[1] for entry in history for key in entry if (match := OF_A_SET.fullmatch(key))), None)
    if plain or named is None:
        return plain
    renamed = [{key.replace(f"eval_{named}_", "eval_"): value for key, value in entry.items()} for entry in history]
    return [entry for entry in renamed if "eval_loss" in entry or "eval_wer" in entry]


def _first_of_each_step(evaluated: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Evaluations without a second one of the same step, which is of other weights (the best ones) or other rows."""
    first: dict[Any, dict[str, Any]] = {}
    for entry in evaluated:
        first.setdefault(entry["step"], entry)
    return list(first.values())


def _divergence(path: Path, logged: list[dict[str, Any]], evaluated: list[dict[str, Any]]) -> dict[str, Any]:
    """Status of a training whose loss or gradient is not finite at its end; empty for any other."""
    step = _not_finite_from(logged)
    what = "loss or gradient is not finite"
    zero = _zero_from(logged, evaluated)
    if zero is not None and (step is None or zero <= step):
        step = zero
        what = (
            "the logged training loss is exactly 0 (the Trainer logs 0 in place of NaN: `logging_nan_inf_filter`)"
            + (" and the validation loss is NaN" if _broken_evaluations(evaluated) else "")
        )
    if step is None:
        return {}
    return {
        "status": "impossible",
        "code": "training.diverged",
        "message": f"{path}: {what} from step {step}",
        "non_finite_step": step,
    }


def _not_finite_from(logged: list[dict[str, Any]]) -> int | None:
    """First step whose loss is not finite, or after which no gradient is finite.

    The Trainer hides losses that are not finite (`logging_nan_inf_filter`), but not their gradients. Single gradients
    that are not finite are usual in half precision, which skips such steps.
    """
    finite = [math.isfinite(float(entry.get("grad_norm") or 0.0)) for entry in logged]
    last_finite = max((position for position, is_finite in enumerate(finite) if is_finite), default=-1)
    broken = (e for i, e in enumerate(logged) if i > last_finite or not math.isfinite(float(e["loss"])))
    return next((int(entry["step"]) for entry in broken), None)


def _zero_from(logged: list[dict[str, Any]], evaluated: list[dict[str, Any]]) -> int | None:
    """First step from which every logged loss is exactly 0 because NaN was hidden; None where a loss really is 0.

    A validation loss that is finite after that step shows that the weights are.
    """
    values = [float(entry["loss"]) for entry in logged]
    start = next((i + 1 for i in range(len(values) - 1, -1, -1) if values[i] != 0.0), 0)
    if start == len(values):
        return None
    step = int(logged[start]["step"])
    later = [entry for entry in evaluated if int(entry["step"]) >= step and "eval_loss" in entry]
    if any(_finite(entry["eval_loss"]) is not None for entry in later):
        return None
    jumped = start == 0 or values[start - 1] > SMALL_LOSS
    return step if later or jumped else None


def _broken_evaluations(evaluated: list[dict[str, Any]]) -> bool:
    return any(_finite(entry["eval_loss"]) is None for entry in evaluated if "eval_loss" in entry)


def wer_unit(evaluated: list[dict[str, Any]]) -> tuple[WerUnit | None, bool]:
    """Unit of the logged WERs, and whether the values alone leave it open; the whole log has one unit.

    Where all values are up to 3 and some above 1, the validation losses of these decide. Without losses it is percent
    if all values are above 1: a run is rarely that bad throughout.
    """
    rates = [rate for entry in evaluated if (rate := _finite(entry.get("eval_wer"))) is not None]
    if not rates:
        return None, False
    if max(rates) > LARGEST_FRACTION:
        return "percent", False
    if max(rates) <= 1:
        return "fraction", False
    losses = [
        loss
        for entry in evaluated
        if (_finite(entry.get("eval_wer")) or 0) > 1 and (loss := _finite(entry.get("eval_loss"))) is not None
    ]
    percent = statistics.median(losses) < LOSS_BETWEEN if losses else min(rates) > 1
    return ("percent" if percent else "fraction"), True


def _validation(evaluated: list[dict[str, Any]], unit: WerUnit | None) -> list[ValidationPoint]:
    """Losses and WERs of all evaluations; WERs in percent become fractions."""
    scale = 100 if unit == "percent" else 1
    return [
        ValidationPoint(
            step=entry["step"],
            loss=_finite(entry.get("eval_loss")),
            wer=None if (rate := _finite(entry.get("eval_wer"))) is None else rate / scale,
        )
        for entry in evaluated
    ]


def _early_stopping(state: dict[str, Any]) -> EarlyStopping | None:
    """The callback that may end the run early; None where none is recorded. Several callbacks of one class are a list.

    Whatever callback ended it, the Trainer's control says so; at the last planned step it says so in any case.
    """
    callbacks = state.get("stateful_callbacks") or {}
    recorded = callbacks.get("EarlyStoppingCallback")
    for callback in recorded if isinstance(recorded, list) else [recorded]:
        if callback:
            patience = int(callback["args"]["early_stopping_patience"])
            waited = int(callback["attributes"]["early_stopping_patience_counter"])
            return EarlyStopping(patience=patience, waited=waited, stopped=waited >= patience)
    control = (callbacks.get("TrainerControl") or {}).get("args") or {}
    if control.get("should_training_stop") is True and state["global_step"] < state["max_steps"]:
        return EarlyStopping(patience=None, waited=None, stopped=True)
    return None


def _best_step(state: dict[str, Any], validation: list[ValidationPoint], weights_step: int | None) -> int | None:
    """The best step that the Trainer recorded, or else that of the lowest error."""
    recorded = _recorded_best(state)
    return _lowest(validation, weights_step) if recorded is None else recorded


def _recorded_best(state: dict[str, Any]) -> int | None:
    if state.get("best_global_step"):
        return int(state["best_global_step"])
    named = CHECKPOINT_NAME.search(str(state.get("best_model_checkpoint") or ""))
    return int(named[1]) if named is not None else None


def _worst_as_best(state: dict[str, Any], evaluated: list[dict[str, Any]]) -> int | None:
    """Step of the highest error where the Trainer recorded that step as its best; None elsewhere.

    It does so where `metric_for_best_model` names an error rate and `greater_is_better` was left to its default, which
    is true for every metric that is no loss.
    """
    step = _recorded_best(state)
    metric = _finite(state.get("best_metric"))
    entry = next((entry for entry in evaluated if entry["step"] == step), {})
    key = next((key for key in ERRORS if metric is not None and _finite(entry.get(key)) == metric), None)
    values = [value for entry in evaluated if key and (value := _finite(entry.get(key))) is not None]
    return step if metric is not None and values and min(values) < metric == max(values) else None


def _lowest(validation: list[ValidationPoint], weights_step: int | None) -> int | None:
    """Step of the lowest WER (measured twice or more), else loss; of equal ones that of the weights, or the first."""
    rates = [(point.wer, point.step) for point in validation if point.wer is not None]
    losses = [(point.loss, point.step) for point in validation if point.loss is not None]
    measured = rates if len(rates) > 1 else losses
    return min(measured, key=lambda point: (point[0], point[1] != weights_step, point[1]))[1] if measured else None


def _finite(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(float(value)) else None
