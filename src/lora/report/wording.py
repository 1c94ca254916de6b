"""How numbers and other people's texts are written in Markdown.

Texts of a study (ids, references, paths, messages that quote them) are untrusted: `text` and `code` make them harmless
in Markdown and HTML, `plain` in a terminal. Percentages are made from fractions, points from differences of fractions.
"""

from __future__ import annotations

import html
import os
import re
import unicodedata
from pathlib import PurePosixPath
from urllib.parse import quote

from lora.records.scores import Interval

UNKNOWN = "not known"
INVISIBLE = {"Cc", "Cf", "Cs", "Co"}


def plain(value: object) -> str:
    """One line without control, bidirectional and other invisible characters; blanks are joined."""
    visible = (c for c in str(value) if c.isspace() or unicodedata.category(c) not in INVISIBLE)
    return " ".join("".join(visible).split())


def text(value: object) -> str:
    """Text as it reads, on one line: no emphasis, link, HTML, mathematics or comment can come out of it."""
    return _inner(plain(value))


def _inner(line: str) -> str:
    """A part of one plain line; blanks at its ends stay."""
    safe = html.escape(line, quote=False)
    safe = re.sub(r"([\\`*\[\]~#$])", r"\\\1", safe)
    safe = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", safe)
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;")


def prose(value: object) -> str:
    """As `text`, but names of settings and files that our own sentences hold in backticks become code spans."""
    parts = re.split(r"(?<!`)`([\w<](?:[\w.<>/: -]*[\w.>])?)`(?!`)", plain(value))
    return "".join(code(part) if at % 2 else _inner(part) for at, part in enumerate(parts))


def code(value: object) -> str:
    """A code span with fences longer than any run of backticks inside."""
    inner = plain(value)
    if not inner:
        return "(empty)"
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", inner)), default=0))
    blank = " " if inner.startswith("`") or inner.endswith("`") else ""
    return f"{fence}{blank}{inner}{blank}{fence}"


def link(path: str, folder: str) -> str:
    """A link to a file of the study, from a document that lies in `folder` (both relative to the study)."""
    target = os.path.relpath(path, folder or ".")
    label = text(PurePosixPath(target).as_posix())
    return f"[{label}]({quote(target)})"


def number(value: float | None, digits: int = 3) -> str:
    """At most `digits` significant digits, without trailing zeros."""
    return UNKNOWN if value is None else f"{value:.{digits}g}"


def seconds(value: float | None) -> str:
    return "no limit" if value is None else f"{value:g} s"


def percent(fraction: float | None, digits: int = 1) -> str:
    return UNKNOWN if fraction is None else f"{100 * fraction:.{digits}f} %"


def points(difference: float | None, digits: int = 2) -> str:
    """A difference of fractions in percentage points, with its sign."""
    if difference is None:
        return UNKNOWN
    rounded = round(100 * difference, digits) + 0.0
    return f"{rounded:+.{digits}f} points" if rounded else "0 points"


def interval(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f} %"


def difference_interval(low: float | None, high: float | None) -> str:
    return "no interval" if low is None or high is None else f"{100 * low:+.2f} to {100 * high:+.2f}"


def caveat(value: Interval | None, within: str = " ({})") -> str:
    """What an interval must not be read without, to stand after it; empty where it speaks of other speakers too."""
    if value is None or value.low is None or value.high is None:
        return ""
    if value.method.startswith("zero errors"):
        return within.format("no error: an upper bound")
    return within.format("these speakers only") if value.scope == "these_speakers" else ""


def why_none(value: Interval | None) -> str:
    """Why there is no interval, in brackets: one utterance, no reference word, no hypothesis that differs."""
    if value is None or value.low is not None:
        return ""
    return f" ({text(value.method.partition(':')[0])})"


def count(n: int, singular: str, plural: str | None = None) -> str:
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def listed(items: list[str], most: int = 5) -> str:
    """`a, b and c`; beyond `most` items the rest is counted."""
    if not items:
        return "none"
    if len(items) > most:
        return ", ".join(items[:most]) + f" and {len(items) - most} more"
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]
