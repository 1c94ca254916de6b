"""Durations that a manifest declares, compared with those of its audio: wrong ones, and the unit that they are in.

The converter compares them with audio headers, the diagnosis with the decoded audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LEAST_DIFFERENCE = 0.1  # seconds; codecs and rounding stay below it
Unit = Literal["samples", "milliseconds", "frames of 10 ms", "minutes"]
SECONDS: dict[Unit, float] = {"milliseconds": 0.001, "frames of 10 ms": 0.01, "minutes": 60.0}


@dataclass(frozen=True)
class Declared:
    """A row's duration by the manifest and by its audio, in seconds, and the rate of the file in Hz."""

    id: str
    line: int | None
    declared: float
    seconds: float
    rate: int | None

    def differs(self, tolerance: float, declared: float | None = None) -> bool:
        """Whether the declared duration, or another one, contradicts the audio; `tolerance` is relative."""
        claimed = self.declared if declared is None else declared
        return abs(claimed - self.seconds) > max(LEAST_DIFFERENCE, tolerance * self.seconds)


def wrong_durations(rows: Sequence[Declared], tolerance: float) -> list[Declared]:
    """Rows whose duration contradicts the audio."""
    return [row for row in rows if row.differs(tolerance)]


def common_unit(rows: Sequence[Declared], tolerance: float) -> Unit | None:
    """The unit in which every one of these durations agrees with its audio; None where there is no such unit."""
    if not rows:
        return None
    if all(row.rate and not row.differs(tolerance, row.declared / row.rate) for row in rows):
        return "samples"
    for unit, seconds in SECONDS.items():
        if not any(row.differs(tolerance, row.declared * seconds) for row in rows):
            return unit
    return None
