"""Times as people write them: `3.2`, `3,2`, `3.2 s`, `3200 ms`, `0:06.05`, `00:00:06,050`."""

from __future__ import annotations

import re

NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
UNIT = {
    "": 1.0,
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
WITH_UNIT = re.compile(rf"({NUMBER})\s*([a-z]*)\.?", re.IGNORECASE)
CLOCK = re.compile(r"(?:(\d+):)?(\d{1,3}):(\d{1,2}(?:[.,]\d*)?)")


def seconds_in_text(text: str) -> float | str:
    """Seconds of a time with a unit, with a decimal comma, or as hours:minutes:seconds; the text where it is none."""
    written = text.strip()
    if (clock := CLOCK.fullmatch(written)) is not None:
        hours, minutes, seconds = clock.groups()
        return 3600.0 * int(hours or 0) + 60.0 * int(minutes) + float(seconds.replace(",", "."))
    number = WITH_UNIT.fullmatch(written)
    if number is None or (unit := UNIT.get(number[2].lower())) is None:
        return text
    return round(float(number[1].replace(",", ".")) * unit, 9)
