"""Times as people write them: `3.2`, `3,2`, `3.2 s`, `3200 ms`, `0:06.05`, `00:00:06,050`."""

from __future__ import annotations

import math
import re

NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
UNIT = {
    "s": 1.0,
    "sec": 1.0,
    "secs": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "ms": 0.001,
    "msec": 0.001,
    "millisecond": 0.001,
    "milliseconds": 0.001,
    "m": 60.0,
    "min": 60.0,
    "minutes": 60.0,
}
PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WITH_UNIT = re.compile(rf"({NUMBER})\s*([a-z]*)\.?", re.IGNORECASE)
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:[.,]\d*)?)")


def is_plain_number(text: str) -> bool:
    """Whether a text is a number with a decimal point, as programs write it."""
    return PLAIN.fullmatch(text.strip()) is not None


def plain_number(text: str) -> float:
    """A number as programs write it; NaN for other text, of which `float` takes `1_0`, `inf` and others."""
    return float(text) if is_plain_number(text) else math.nan


def seconds_in_text(text: str, unit: float = 1.0) -> float | str:
    """Seconds of a time with a decimal comma, with a unit, or as hours:minutes:seconds; the text where it is none.

    `unit` are the seconds of one unit where the text has none.
    """
    written = text.strip()
    if (clock := CLOCK.fullmatch(written)) is not None:
        hours, minutes, seconds = clock.groups()
        return 3600.0 * float(hours or 0) + 60.0 * float(minutes) + float(seconds.replace(",", "."))
    number = WITH_UNIT.fullmatch(written)
    if number is None:
        return text
    named = UNIT.get(number[2].lower()) if number[2] else unit
    return text if named is None else round(float(number[1].replace(",", ".")) * named, 9)
