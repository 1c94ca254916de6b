"""Did the validation stay near its best, and are the weights those of the best step?"""

from __future__ import annotations

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.training.log import evidence, measured, validation_losses, validation_wers
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus

# Smallest rise of the validation WER that is called one: half a point.
LEAST_WER_RISE = 0.005


def validation(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The validation after its best step: WER where it was measured twice or more, else the loss.

    A loss that rises while WER falls is no overfitting: the model becomes more certain, of right words too.
    """
    most = facts.config.adapter.max_overfit
    losses = validation_losses(train)
    rates = validation_wers(train)
    measure = "wer" if len(rates) > 1 else "loss"
    points = measured(train)
    if not points:
        result = check(
            "training.validation",
            status="unknown",
            reason="not_validated",
            evidence=evidence(facts, run),
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
        if train.source is not None and train.best_kept and train.best_step == best_step:
            # Weights of an external run that went on afterwards: what came later is not in them.
            status = "pass"
            reason = "rose_later"
    elif best_step == 0 and last_step > 0 and rise <= most:
        reason = "no_improvement"
    else:
        status = "pass"
        reason = "ok"
    first = train.first_train_loss
    final = train.final_train_loss
    training_fell = first is not None and final is not None and final < first
    loss_at = dict(losses)
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
        evidence=evidence(facts, run),
        value=None if status == "unknown" else train.best_step,
        details={
            "best_step": train.best_step,
            "weights_step": train.weights_step,
            "last_step": train.optimizer_steps,
            "wer_of_best": next((rate for step, rate in validation_wers(train) if step == train.best_step), None),
        },
        run=run,
    )
    return Findings.of(result, result.cause("training.best_not_kept") if status == "warn" else None)
