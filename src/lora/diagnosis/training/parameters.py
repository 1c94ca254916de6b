"""Which parameters were trained, did gradients reach them, and did they move?"""

from __future__ import annotations

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, check, examples
from lora.diagnosis.training.log import evidence
from lora.records.training import TrainFacts
from lora.records.verdict import CheckStatus


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
        evidence=evidence(facts, run),
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
        evidence=evidence(facts, run),
        value=len(without) if known else None,
        threshold=0 if known else None,
        details={"without": examples(without), "modules": train.target_modules, "median_norm": median},
        run=run,
    )
    return Findings.of(result, result.cause("training.no_gradient") if status == "fail" else None)


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
        evidence=evidence(facts, run),
        value=moved,
        threshold=len(measured),
        details={"moved": moved, "modules": len(measured), "steps": train.optimizer_steps},
        run=run,
    )
    return Findings.of(result, result.cause("training.lr_not_applied") if status == "fail" else None)
