"""Were all planned steps taken, at the configured learning rate?"""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.training.log import evidence, measured
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus

# Validations without improvement before its end after which an external run that was stopped is no short one: a usual
# patience of early stopping, which logs of older trainers do not record.
IDLE_VALIDATIONS = 3


def steps(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Optimizer steps taken and planned."""
    taken = train.optimizer_steps
    planned = train.planned_steps
    points = measured(train)
    idle = len(points) - 1 - points.index(min(points, key=lambda point: point[1])) if points else 0
    status: CheckStatus = "unknown"
    reason = "not_recorded"
    if taken is not None and planned is not None:
        complete = taken >= planned and taken > 0
        # With the direction of its metric reversed, early stopping ends a run because it improves.
        early = train.early_stopping is not None and train.early_stopping.stopped and train.worst_as_best is None
        reason = "ok" if complete else "early_stopping" if early else "stopped_early"
        if reason == "stopped_early" and train.source is not None and idle >= IDLE_VALIDATIONS:
            reason = "no_longer_improving"
        status = "fail" if reason == "stopped_early" else "pass"
    known = status != "unknown"
    result = check(
        "training.steps",
        status=status,
        reason=reason,
        evidence=evidence(facts, run),
        value=taken if known else None,
        threshold=planned if known else None,
        details={
            "taken": taken,
            "planned": planned,
            "epochs": train.epochs,
            "patience": train.early_stopping.patience if train.early_stopping is not None else None,
            **_wer_reached(train),
            "idle": idle,
            "best_step": train.best_step,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.steps_short") if status == "fail" else None)


def _wer_reached(train: TrainFacts) -> dict[str, float]:
    """The validation WER that ended the training, and its threshold; nothing where no WER did."""
    early = train.early_stopping
    return (
        {}
        if early is None or early.wer is None or early.threshold is None
        else {"wer": early.wer, "wer_threshold": early.threshold}
    )


def learning_rate(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The highest learning rate of the optimizer against the configured one; a configured 0 teaches nothing either."""
    files = evidence(facts, run)
    peak = train.learning_rate_peak
    least = facts.config.adapter.min_learning_rate_share
    recorded = train.settings.get("learning_rate")
    # Where nothing was recorded and nothing was applied, 0 is what was configured.
    configured = 0.0 if peak == 0 and recorded is None else recorded
    if peak is not None and configured is None and train.learning_rate_trend is not None:
        return _logged_rate(facts, run, train)
    if peak is None or not isinstance(configured, int | float):
        result = check(
            "training.learning_rate",
            status="unknown",
            reason="not_recorded",
            evidence=files,
            value=peak,
            run=run,
        )
        return Findings.of(result)
    threshold = least * configured
    applied = peak > 0 and threshold <= peak and least * peak <= configured
    file = facts.effect[run].file if run in facts.effect else None
    all_zero = file is not None and bool(file.lora_b) and file.lora_b_zero == file.lora_b
    if not applied and all_zero:
        files = [*files, facts.path(layout.EFFECT, run=run)]
    result = check(
        "training.learning_rate",
        status="pass" if applied else "fail",
        reason="ok" if applied else "not_applied",
        evidence=files,
        value=peak,
        threshold=threshold,
        details={
            "peak": peak,
            "configured": recorded,
            "zero_lora_b": file.lora_b if not applied and all_zero and file is not None else None,
        },
        run=run,
    )
    return Findings.of(result, None if applied else result.cause("training.lr_not_applied"))


def _logged_rate(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The learning rate where the configured one is not recorded: its course over all planned steps."""
    whole = (train.optimizer_steps or 0) >= (train.planned_steps or 0)
    rising = train.learning_rate_trend == "rising" and whole
    result = check(
        "training.learning_rate",
        status="warn" if rising else "pass",
        reason="still_rising" if rising else "as_logged",
        evidence=evidence(facts, run),
        value=train.learning_rate_peak,
        details={
            "peak": train.learning_rate_peak,
            "last": train.learning_rate_last,
            "trend": train.learning_rate_trend,
            "steps": train.optimizer_steps,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.lr_not_applied", severity="warns") if rising else None)
