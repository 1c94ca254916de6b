"""Durations that a manifest declares, compared with those of its audio headers: wrong, in samples, in milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

LEAST_DIFFERENCE = 0.1  # seconds; codecs and rounding stay below it
TOLERANCE = 0.05  # relative difference, as integrity.duration_tolerance
UNIT_TOLERANCE = 0.02  # relative difference from a whole unit
MILLISECONDS = 1000.0
Unit = Literal["samples", "milliseconds"]


@dataclass(frozen=True)
class Declared:
    """A row that is a whole file: its duration by the manifest and by the header, and the rate of the file in Hz."""

    id: str
    line: int | None
    declared: float
    seconds: float
    rate: int


def wrong_durations(rows: Sequence[Declared]) -> list[Declared]:
    """Rows whose duration contradicts the header."""
    return [row for row in rows if abs(row.declared - row.seconds) > max(LEAST_DIFFERENCE, TOLERANCE * row.seconds)]


def common_unit(rows: Sequence[Declared]) -> Unit | None:
    """The unit in which every one of these durations agrees with its header; None where there is no such unit."""
    if rows and all(_near(row.declared, row.seconds * row.rate) for row in rows):
        return "samples"
    if rows and all(_near(row.declared, row.seconds * MILLISECONDS) for row in rows):
        return "milliseconds"
    return None


def _near(declared: float, expected: float) -> bool:
    return abs(declared - expected) <= UNIT_TOLERANCE * expected
