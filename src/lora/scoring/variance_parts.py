"""Intervals of an estimate whose variance is a sum of independent parts with few degrees of freedom each.

The half width is sqrt(sum of t_i^2 V_i), with the Student quantile t_i of each part's own degrees of freedom (Banerjee
1960, Sankhya 22:351): it covers at least at the nominal level whatever the ratio of the variances. A single t with
Satterthwaite's degrees of freedom does not: where seeds vary most, three seeds that happen to agree claim many degrees
of freedom and a small variance (figures in docs/methods.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.special import stdtrit

SMALLEST_P = 1e-12


@dataclass(frozen=True)
class VariancePart:
    """A part of an estimate's variance with its degrees of freedom."""

    variance: float
    degrees: float


def half_width(parts: Sequence[VariancePart], confidence: float) -> float:
    """Half width of the interval of an estimate with these variance parts."""
    squares = [stdtrit(part.degrees, 0.5 + confidence / 2) ** 2 * part.variance for part in parts]
    return math.sqrt(sum(squares))


def p_value(difference: float, parts: Sequence[VariancePart]) -> float | None:
    """Two-sided p-value: the smallest 1 - confidence whose interval excludes 0; None if nothing varies.

    For non-inferiority subtract the margin first and take half of it where the rest is negative.
    """
    if not any(part.variance > 0 for part in parts):
        return None

    def excess(p: float) -> float:
        return abs(difference) - half_width(parts, 1.0 - p)

    if excess(SMALLEST_P) > 0:
        return SMALLEST_P
    return float(brentq(excess, SMALLEST_P, 1.0)) if difference else 1.0


def satterthwaite(parts: Sequence[VariancePart]) -> float | None:
    """Degrees of freedom of a sum of variances (Satterthwaite 1946, Biometrics Bulletin 2:110)."""
    total = sum(part.variance for part in parts)
    shares = sum(part.variance**2 / part.degrees for part in parts)
    return total**2 / shares if shares > 0 else None
