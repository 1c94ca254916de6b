"""Did the training of an adapter do what it was configured to do?"""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check, examples
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus

# Smallest rise of the validation WER that is called one: half a point.
LEAST_WER_RISE = 0.005
# With fewer steps a tenth of the log is one or two batches, whose losses differ by this factor without any training.
FEW_STEPS, MOST_OF_FEW = 20, 2.0
# Validations without improvement before its end after which an external run that was stopped is no short one: a usual
# patience of early stopping, which logs of older trainers do not record.
IDLE_VALIDATIONS = 3


def judge_training(facts: StudyFacts, run: str) -> Findings:
    """Checks of one candidate's training; none where it was not trained, or could not be.

    Training done elsewhere is judged by what was recorded next to the adapter.
    """
    train = facts.training.get(run)
    if train is None or train.status == "impossible":
        return Findings()
    if train.source == "" or train.unreadable is not None:
        return unknown_history(facts, run, train)
    findings = finite_loss(facts, run, train).add(trained_parameters(facts, run, train))
    if findings.causes and findings.causes[0].code == "training.diverged":
        return findings  # what follows from worthless weights is no cause of its own
    findings.add(steps(facts, run, train))
    if train.optimizer_steps != 0:
        findings.add(gradient(facts, run, train), learning_rate(facts, run, train), movement(facts, run, train))
        findings.add(validation(facts, run, train), best_step(facts, run, train))
    return findings


def unknown_history(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """An external training without a record, or with one that is damaged."""
    result = check(
        "training.history",
        status="unknown",
        reason="no_log" if train.unreadable is None else "unreadable",
        evidence=[facts.path(layout.TRAINING, run=run)],
        details={"message": train.unreadable},
        run=run,
    )
    return Findings.of(result)


def _evidence(facts: StudyFacts, run: str) -> list[str]:
    log = [facts.path(layout.LOSS, run=run)] if facts.training[run].source is None else []
    return [facts.path(layout.TRAINING, run=run), *log]


def finite_loss(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The training loss stays finite and does not grow from the first tenth of its log to the last."""
    most = facts.config.adapter.max_loss_growth
    if (train.optimizer_steps or 0) < FEW_STEPS:
        most = max(most, MOST_OF_FEW)
    first, final = train.first_train_loss, train.final_train_loss
    # Training losses are of different batches; the validation split is the same throughout.
    points = _validation_losses(train)
    validation_fell = len(points) > 1 and points[-1][1] <= points[0][1]
    growth = None
    status: CheckStatus = "pass"
    if train.non_finite_step is not None:
        status = "fail"
        reason = "not_finite"
    elif first is None or final is None:
        status = "unknown"
        reason = "not_logged"
    else:
        growth = final / first if first > 0 else math.inf if final > 0 else 1.0
        reason = "ok"
        if growth > most:
            status = "pass" if validation_fell else "fail"
            reason = "grew_but_validation_fell" if validation_fell else "grew"
    result = check(
        "training.loss",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=growth,
        threshold=most,
        details={
            "non_finite_step": train.non_finite_step,
            "first": first,
            "final": final,
            "first_validation": points[0][1] if points else None,
            "final_validation": points[-1][1] if points else None,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.diverged") if status == "fail" else None)


def trained_parameters(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The parameters that require a gradient are those of the adapter and no others."""
    trainable = train.trainable_parameters
    others = len(train.other_trainable)
    status: CheckStatus = "fail"
    value: int | None = others
    if trainable is None:
        status = "unknown"
        reason = "not_recorded"
        value = None
    elif others:
        reason = "other_parameters"
    elif not trainable:
        reason = "no_parameters"
    else:
        status = "pass"
        reason = "ok"
    result = check(
        "training.parameters",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=value,
        threshold=None if value is None else 0,
        details={
            "trainable": trainable,
            "total": train.total_parameters,
            "fully_trained": examples(train.fully_trained),
            "others": examples(train.other_trainable),
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.wrong_parameters") if status == "fail" else None)


def steps(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Optimizer steps taken and planned."""
    taken, planned = train.optimizer_steps, train.planned_steps
    points = _measured(train)
    idle = len(points) - 1 - points.index(min(points, key=lambda point: point[1])) if points else 0
    status: CheckStatus = "unknown"
    reason = "not_recorded"
    if taken is not None and planned is not None:
        complete = taken >= planned and taken > 0
        early = train.early_stopping is not None and train.early_stopping.stopped
        reason = "ok" if complete else "early_stopping" if early else "stopped_early"
        if reason == "stopped_early" and train.source is not None and idle >= IDLE_VALIDATIONS:
            reason = "no_longer_improving"
        status = "fail" if reason == "stopped_early" else "pass"
    known = status != "unknown"
    result = check(
        "training.steps",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=taken if known else None,
        threshold=planned if known else None,
        details={
            "taken": taken,
            "planned": planned,
            "epochs": train.epochs,
            "patience": train.early_stopping.patience if train.early_stopping is not None else None,
            "idle": idle,
            "best_step": train.best_step,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.steps_short") if status == "fail" else None)


def gradient(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Every adapted module receives a gradient."""
    without, median = train.zero_gradient_modules, train.gradient_norm_median
    status: CheckStatus = "fail"
    if without:
        reason = "modules_without_gradient"
    elif median is None:
        status = "unknown"
        reason = "not_recorded"
    elif median:
        status = "pass"
        reason = "ok"
    else:
        reason = "zero_norm"
    known = status != "unknown"
    result = check(
        "training.gradient_flow",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=len(without) if known else None,
        threshold=0 if known else None,
        details={"without": examples(without), "modules": train.target_modules, "median_norm": median},
        run=run,
    )
    return Findings.of(result, result.cause("training.no_gradient") if status == "fail" else None)


def learning_rate(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The highest learning rate of the optimizer against the configured one; a configured 0 teaches nothing either."""
    evidence = _evidence(facts, run)
    peak, least = train.learning_rate_peak, facts.config.adapter.min_learning_rate_share
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
            evidence=evidence,
            value=peak,
            run=run,
        )
        return Findings.of(result)
    threshold = least * configured
    applied = peak > 0 and threshold <= peak and least * peak <= configured
    file = facts.effect[run].file if run in facts.effect else None
    all_zero = file is not None and bool(file.lora_b) and file.lora_b_zero == file.lora_b
    if not applied and all_zero:
        evidence = [*evidence, facts.path(layout.EFFECT, run=run)]
    result = check(
        "training.learning_rate",
        status="pass" if applied else "fail",
        reason="ok" if applied else "not_applied",
        evidence=evidence,
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
        evidence=_evidence(facts, run),
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


def movement(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Whether weights moved: an optimizer may count steps while it was given other parameters, or none."""
    measured = [c for c in train.changes if c.delta is not None]
    if not measured:
        return Findings()
    moved = sum(1 for c in measured if c.delta or c.lora_a)
    status: CheckStatus = "pass" if moved == len(measured) else "warn" if moved else "fail"
    result = check(
        "training.movement",
        status=status,
        reason={"pass": "ok", "warn": "some_unmoved", "fail": "none_moved"}[status],
        evidence=_evidence(facts, run),
        value=moved,
        threshold=len(measured),
        details={"moved": moved, "modules": len(measured), "steps": train.optimizer_steps},
        run=run,
    )
    return Findings.of(result, result.cause("training.lr_not_applied") if status == "fail" else None)


def validation(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The validation after its best step: WER where it was measured twice or more, else the loss.

    A loss that rises while WER falls is no overfitting: the model becomes more certain, of right words too.
    """
    most = facts.config.adapter.max_overfit
    losses, rates = _validation_losses(train), _validation_wers(train)
    measure = "wer" if len(rates) > 1 else "loss"
    points = _measured(train)
    if not points:
        result = check(
            "training.validation",
            status="unknown",
            reason="not_validated",
            evidence=_evidence(facts, run),
            threshold=most,
            run=run,
        )
        return Findings.of(result)
    best_step, best = min(points, key=lambda point: (point[1], point[0]))
    last_step, last = points[-1]
    rise = (last - best) / best if best > 0 else 0.0
    noticeable = measure == "loss" or last - best >= LEAST_WER_RISE
    status: CheckStatus = "warn"
    if rise > most and last_step > best_step and noticeable:
        reason = "rose"
    elif best_step == 0 and last_step > 0 and rise <= most:
        reason = "no_improvement"
    else:
        status = "pass"
        reason = "ok"
    first, final = train.first_train_loss, train.final_train_loss
    training_fell = first is not None and final is not None and final < first
    loss_at = dict(losses)
    result = check(
        "training.validation",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=rise,
        threshold=most,
        details={
            "measure": measure,
            "external": train.source is not None,
            "guessed_unit": train.wer_unit if train.wer_unit_guessed else None,
            "best_step": best_step,
            "best": best,
            "last_step": last_step,
            "last": last,
            "best_loss": loss_at.get(best_step),
            "last_loss": loss_at.get(last_step),
            "final_train_loss": final if training_fell else None,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.overfit") if reason == "rose" else None)


def _measured(train: TrainFacts) -> list[tuple[int, float]]:
    """Step and WER of every validation where WER was measured twice or more, else step and loss."""
    rates = _validation_wers(train)
    return rates if len(rates) > 1 else _validation_losses(train)


def _validation_wers(train: TrainFacts) -> list[tuple[int, float]]:
    return [(p.step, p.wer) for p in train.validation if p.wer is not None and math.isfinite(p.wer)]


def _validation_losses(train: TrainFacts) -> list[tuple[int, float]]:
    return [(p.step, p.loss) for p in train.validation if p.loss is not None and math.isfinite(p.loss)]


def best_step(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Whether the evaluated weights are those of the best step."""
    status: CheckStatus = "unknown"
    reason = "not_recorded"
    if train.best_kept is not None:
        status = "pass" if train.best_kept else "warn"
        reason = "ok" if train.best_kept else "not_kept" if train.source is None else "other_step"
    elif train.best_step is not None and train.source is not None:
        reason = "step_not_recorded"
    result = check(
        "training.best",
        status=status,
        reason=reason,
        evidence=_evidence(facts, run),
        value=None if status == "unknown" else train.best_step,
        details={
            "best_step": train.best_step,
            "weights_step": train.weights_step,
            "last_step": train.optimizer_steps,
            "wer_of_best": next((rate for step, rate in _validation_wers(train) if step == train.best_step), None),
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.best_not_kept") if status == "warn" else None)
