"""What the log of a training has: its files, and the validations in it."""

from __future__ import annotations

import math

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.records.training import TrainFacts


def evidence(facts: StudyFacts, run: str) -> list[str]:
    """Files that have the facts of a training: of an external one no log of this study."""
    log = [facts.path(layout.LOSS, run=run)] if facts.training[run].source is None else []
    return [facts.path(layout.TRAINING, run=run), *log]


def measured(train: TrainFacts) -> list[tuple[int, float]]:
    """Step and WER of every validation where WER was measured twice or more, or no loss was; else step and loss."""
    return validation_wers(train) if by_wer(train) else validation_losses(train)


def by_wer(train: TrainFacts) -> bool:
    """Whether validations are compared by their WER."""
    rates = validation_wers(train)
    return len(rates) > 1 or bool(rates and not validation_losses(train))


def validation_wers(train: TrainFacts) -> list[tuple[int, float]]:
    """Step and WER (a fraction) of the validations that have one."""
    return [(p.step, p.wer) for p in train.validation if p.wer is not None and math.isfinite(p.wer)]


def validation_losses(train: TrainFacts) -> list[tuple[int, float]]:
    """Step and loss of the validations that have one."""
    return [(p.step, p.loss) for p in train.validation if p.loss is not None and math.isfinite(p.loss)]
