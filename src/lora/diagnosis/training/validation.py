"""Did the validation stay near its best, and are the weights those of the best step?"""

from __future__ import annotations

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.training.log import by_wer, evidence, measured, validation_losses, validation_wers
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus

# Smallest rise of the validation WER that is called one: half a point.
LEAST_WER_RISE = 0.005
# So many validations with exactly one WER are no accident where their losses differ by this share.
SAME_WERS, OTHER_LOSS = 3, 0.05


def validation(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The validation after its best step: WER where it was measured twice or more, else the loss.

    A loss that rises while WER falls is no overfitting: the model becomes more certain, of right words too. Neither is
    a WER that rises while the loss falls: right tokens become more likely, so what is decoded is in question.
    """
    most = facts.config.adapter.max_overfit
    losses = validation_losses(train)
    measure = "wer" if by_wer(train) else "loss"
    points = measured(train)
    if not points:
        result = check(
            "training.validation",
            status="warn" if train.validation else "unknown",
            reason="not_finite" if train.validation else "not_validated",
            evidence=evidence(facts, run),
            threshold=most,
            details={"validations": len(train.validation)},
            run=run,
        )
        return Findings.of(result)
    best_step, best = min(points, key=lambda point: (point[1], point[0]))
    last_step, last = points[-1]
    rise = (last - best) / best if best > 0 else 0.0
    noticeable = measure == "loss" or last - best >= LEAST_WER_RISE
    loss_at = dict(losses)
    best_loss, last_loss = loss_at.get(best_step), loss_at.get(last_step)
    status: CheckStatus = "warn"
    if rise > most and last_step > best_step and noticeable:
        reason = "rose"
        if train.source is not None and train.best_kept and train.best_step == best_step:
            # Weights of an external run that went on afterwards: what came later is not in them.
            status = "pass"
            reason = "rose_later"
        elif measure == "wer" and best_loss is not None and last_loss is not None and last_loss <= best_loss:
            reason = "wer_rose_alone"
    elif best_step == 0 and last_step > 0 and rise <= most:
        reason = "no_improvement"
    elif measure == "wer" and _same_wer(points, losses):
        reason = "same_wer"
    else:
        status = "pass"
        reason = "ok"
    first = train.first_train_loss
    final = train.final_train_loss
    training_fell = first is not None and final is not None and final < first
    result = check(
        "training.validation",
        status=status,
        reason=reason,
        evidence=evidence(facts, run),
        value=rise,
        threshold=most,
        details={
            "measure": measure,
            "external": train.source is not None,
            "validations": len(points),
            "guessed_unit": train.wer_unit if train.wer_unit_guessed else None,
            "best_step": best_step,
            "best": best,
            "last_step": last_step,
            "last": last,
            "best_loss": best_loss,
            "last_loss": last_loss,
            "final_train_loss": final if training_fell else None,
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.overfit") if reason == "rose" else None)


def _same_wer(rates: list[tuple[int, float]], losses: list[tuple[int, float]]) -> bool:
    """Whether every validation has exactly the same WER although the model changed, by their losses."""
    values = [rate for _, rate in rates]
    moved = len(losses) > 1 and abs(losses[-1][1] - losses[0][1]) > OTHER_LOSS * losses[0][1]
    return len(values) >= SAME_WERS and min(values) == max(values) > 0 and moved


def best_step(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """Whether the evaluated weights are those of the best step."""
    status: CheckStatus = "unknown"
    reason = "not_recorded"
    rates = dict(validation_wers(train))
    if train.worst_as_best is not None and not train.best_kept:
        status, reason = "warn", "worst_as_best"
    elif train.source is not None and train.best_step == 0 and train.best_kept is not True:
        status, reason = "warn", "none_better"
    elif train.best_kept is not None:
        status = "pass" if train.best_kept else "warn"
        reason = "ok" if train.best_kept else "not_kept" if train.source is None else "other_step"
    elif train.best_step is not None and train.source is not None:
        reason = "step_not_recorded"
    result = check(
        "training.best",
        status=status,
        reason=reason,
        evidence=evidence(facts, run),
        value=None if status == "unknown" else train.best_step,
        details={
            "best_step": train.best_step,
            "weights_step": train.weights_step,
            "last_step": train.optimizer_steps,
            "wer_of_best": rates.get(train.best_step) if train.best_step is not None else None,
            "taken_as_best": train.worst_as_best,
            "wer_of_taken": rates.get(train.worst_as_best) if train.worst_as_best is not None else None,
        },
        run=run,
    )
    kept = status != "warn" or reason == "none_better"  # the base model is no step that could be kept
    return Findings.of(result, None if kept else result.cause("training.best_not_kept"))
