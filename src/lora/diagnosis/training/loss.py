"""Did the training loss stay finite, and did it fall?"""

from __future__ import annotations

import math

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.training.log import evidence, validation_losses
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus

# With fewer steps a tenth of the log is one or two batches, whose losses differ by this factor without any training.
FEW_STEPS, MOST_OF_FEW = 20, 2.0


def finite_loss(facts: StudyFacts, run: str, train: TrainFacts) -> Findings:
    """The training loss stays finite and does not grow from the first tenth of its log to the last."""
    most = facts.config.adapter.max_loss_growth
    if (train.optimizer_steps or 0) < FEW_STEPS:
        most = max(most, MOST_OF_FEW)
    first = train.first_train_loss
    final = train.final_train_loss
    # Training losses are of different batches; the validation split is the same throughout.
    points = validation_losses(train)
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
        evidence=evidence(facts, run),
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
