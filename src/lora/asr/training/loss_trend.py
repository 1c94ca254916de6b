"""What a log of losses and learning rates shows of a whole training. Torch-free."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Literal

from lora.records.training import RateTrend

TENTH = 10


def first_and_last_tenth(losses: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean of the first and of the last tenth of the logged losses: single losses are of different batches.

    A tenth is at least one loss. None without losses, or where a mean is not finite.
    """
    if not losses:
        return None, None
    size = math.ceil(len(losses) / TENTH)
    first = statistics.fmean(losses[:size])
    last = statistics.fmean(losses[-size:])
    return _finite(first), _finite(last)


def rate_trend(rates: Sequence[float]) -> RateTrend | None:
    """Whether the learning rate was `constant`, still `rising` at the end, or `falling` from its highest value.

    None for fewer than three logged rates.
    """
    if len(rates) < 3:
        return None
    trend: Literal["constant", "rising", "falling"] = "falling"
    if max(rates) == min(rates):
        trend = "constant"
    elif rates[-1] > max(rates[:-1]):
        trend = "rising"
    return trend


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
