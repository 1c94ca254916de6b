"""How numbers read in the sentences of checks and causes. WER comes in as a fraction and leaves as a percentage."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lora.records.scores import Interval


def percent(fraction: float) -> str:
    """`4.62 %`, `37.5 %`: two decimals below ten, one above."""
    return f"{_digits(100 * fraction)} %"


def round_percent(fraction: float) -> str:
    """A threshold, as a person wrote it: `5 %`."""
    return f"{100 * fraction:g} %"


def round_points(difference: float) -> str:
    """A threshold of a difference: `1 point`, `0.5 points`."""
    return f"{100 * difference:g} {'point' if difference == 0.01 else 'points'}"


def given(value: float | None) -> str:
    """A number as a file holds it: `16`, or that it holds none."""
    return "not given" if value is None else f"{value:g}"


def points(difference: float) -> str:
    """The size of a difference of two fractions, without its sign: `1.33 points`."""
    return f"{_digits(100 * abs(difference))} points"


def interval(value: Interval) -> str:
    """`95 % interval 33.0 to 41.9 %`, with what it must not be read without, or that there is none."""
    if value.low is None or value.high is None:
        return "no interval can be given"
    shown = f"{100 * value.confidence:g} % interval {_digits(100 * value.low)} to {percent(value.high)}"
    if value.method.startswith("zero errors"):
        return f"{shown}, an upper bound as there is no error"
    return f"{shown}, these speakers only" if value.scope == "these_speakers" else shown


def seconds(value: float) -> str:
    return f"{value:g} s"


def speech(hours: float) -> str:
    """An amount of speech: `2.1 h`, and below an hour `9 min`."""
    return f"{hours:.1f} h" if hours >= 1 else f"{math.ceil(60 * hours)} min"


def count(number: int, noun: str, plural: str | None = None) -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(names: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 9 more`."""
    shown = list(names[:most])
    if len(names) > most:
        return f"{', '.join(shown)} and {len(names) - most} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _digits(value: float) -> str:
    text = f"{value:.1f}" if abs(value) >= 9.995 else f"{value:.2f}"
    return text.removesuffix(".00").removesuffix(".0") if float(text) in (0.0, 100.0) else text
