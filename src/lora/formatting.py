"""How numbers are written for people: the only module that rounds numbers for sentences, tables and plots.

Rates and shares are fractions (0.356) and are written as percentages with one decimal (`35.6 %`). Differences of rates
are written in percentage points with two decimals. Thresholds are written as the configuration gives them (`5 %`). A
missing number is `unknown`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from lora.records.scores import Interval, Unit

UNKNOWN = "unknown"
MOST_DECIMALS = 6
MODULE_GROUPS = {
    "encoder": "encoder",
    "decoder_self": "decoder self-attention",
    "cross": "cross-attention",
    "mlp": "decoder MLP",
}
# A number with its unit, and the ends of an interval, stay on one line.
UNITS = r"%|points?|rows?|s|min|h|Hz|dB|MB|utterances?|steps?|seeds?|hypotheses|modules?"
TOGETHER = re.compile(
    rf"(?<=\d) (?=(?:{UNITS})(?!\w)|to [-+]?\d|of \d)|(?<=\d to) (?=[-+]?\d)|(?<=\d of) (?=\d)"
    r"|(?<=\bWER|\bCER|\bMER) (?=\d)|(?<=%) (?=to \d)|(?<=^[✓!✗?]) (?=\w)"
)
NO_BREAK_SPACE = "\u00a0"

# The words of every outcome of a comparison: documents, terminal and plots use no others.
OUTCOMES = {
    "better": "better",
    "worse": "worse",
    "equivalent": "same",
    "same_words": "same words",
    "unchanged": "same words",
    "underpowered": "inconclusive",
}

RATES: dict[Unit, str] = {"words": "WER", "characters": "CER", "mixed": "MER"}


def rate_name(unit: Unit) -> str:
    """Name of an error rate by what it counts: WER, CER, or the mixed error rate, MER."""
    return RATES[unit]


def percent(fraction: float | None, threshold: float | None = None) -> str:
    """`35.6 %`: one decimal, except for exactly `0 %` and `100 %`.

    More decimals appear only where one would contradict the sentence around it: 0.0004 is `0.04 %` rather than `0.0 %`,
    0.9996 is `99.96 %`, and 0.0496 is `4.96 %` next to a threshold of 0.05.
    """
    return UNKNOWN if fraction is None else f"{_percentage(fraction, 0.0, 1.0, threshold)} %"


def percent_range(low: float | None, high: float | None, threshold: float | None = None) -> str:
    """The ends of an interval of a rate: `0.1 to 1.2 %`."""
    if low is None or high is None:
        return "no interval"
    return f"{_percentage(low, 0.0, 1.0, threshold)} to {_percentage(high, 0.0, 1.0, threshold)} %"


def configured_percent(fraction: float) -> str:
    """A threshold of a rate, as configured: `5 %`."""
    return f"{100 * fraction:g} %"


def points(size: float | None, threshold: float | None = None) -> str:
    """The size of a difference of two rates, without its sign: `1.33 points`."""
    if size is None:
        return UNKNOWN
    return f"{_decimals(100 * abs(size), 2, [100 * threshold] if threshold is not None else [])} points"


def signed_points(difference: float | None) -> str:
    """A difference of two rates with its sign: `-10.76 points`, or `0 points`."""
    if difference is None:
        return UNKNOWN
    rounded = round(100 * difference, 2)
    return f"{rounded:+.2f} points" if rounded else "0 points"


def points_range(low: float | None, high: float | None) -> str:
    """The ends of an interval of a difference, in points: `-1.27 to +0.40`."""
    return "no interval" if low is None or high is None else f"{100 * low:+.2f} to {100 * high:+.2f}"


def configured_points(difference: float) -> str:
    """A threshold of a difference, as configured: `1 point`, `0.5 points`."""
    return f"{100 * difference:g} {'point' if difference == 0.01 else 'points'}"


def rate(fraction: float | None, value: Interval | None) -> str:
    """A rate and its interval: `0.5 % (0.1 to 1.2 %)`, or `12.5 % (no interval: one utterance)`."""
    if value is None or value.low is None or value.high is None:
        return f"{percent(fraction)} (no interval{why_none(value, ': {}')})"
    return f"{percent(fraction)} ({percent_range(value.low, value.high)}{caveat(value, ', {}')})"


def interval(value: Interval, threshold: float | None = None) -> str:
    """The interval of a rate in a sentence: `95 % interval 33.0 to 41.9 %`, with its caveat."""
    if value.low is None or value.high is None:
        return f"no interval{why_none(value, ': {}')}"
    ends = percent_range(value.low, value.high, threshold)
    return f"{configured_percent(value.confidence)} interval {ends}{caveat(value, ', {}')}"


def caveat(value: Interval | None, within: str = " ({})") -> str:
    """What limits the meaning of an interval; empty where it generalises to other speakers."""
    if value is None or value.low is None or value.high is None:
        return ""
    if value.method.startswith("zero errors"):
        return within.format("upper bound: no errors")
    return within.format("these speakers only") if value.scope == "these_speakers" else ""


def why_none(value: Interval | None, within: str = " ({})") -> str:
    """Why there is no interval: one utterance, no reference word, no hypothesis that differs."""
    if value is None or value.low is not None:
        return ""
    return within.format(value.method.partition(":")[0])


def p_value(p: float | None) -> str:
    """`p = 0.043`, or `p < 0.001`."""
    if p is None:
        return f"p {UNKNOWN}"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def seconds(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:g} s"


def seconds_limit(value: float | None) -> str:
    """A duration limit: `10 s`, or `no limit`."""
    return "no limit" if value is None else seconds(value)


def counted_rows(max_seconds: float | None, rows: int | None = None) -> str:
    """The rows that a WER counts: `188 rows of at most 10 s`, or `all 188 rows`."""
    number_of = "" if rows is None else f"{rows:,} "
    if max_seconds is None:
        return f"all {number_of}rows"
    return f"{number_of}{'row' if rows == 1 else 'rows'} of at most {seconds(max_seconds)}"


def hours(value: float | None) -> str:
    """An amount of speech: `2.1 h`, and below an hour in minutes, rounded up: `9 min`."""
    if value is None:
        return UNKNOWN
    return f"{value:,.1f} h" if value >= 1 else f"{math.ceil(round(60 * value, 6))} min"


def outcome_words(outcome: str | None, smallest_change: float | None = None) -> str:
    """`better`, `worse`, `same`, `same words`, or `inconclusive: only changes above 1.15 points are detectable here`.

    Args:
        outcome: Code of the outcome; None where nothing was compared.
        smallest_change: Smallest difference that the comparison would show; None gives the single word.
    """
    words = OUTCOMES.get(outcome or "", UNKNOWN)
    if outcome != "underpowered" or smallest_change is None:
        return words
    return f"{words}: only changes above {points(smallest_change)} are detectable here"


def duration(seconds: float) -> str:
    """How long something takes: `95 s`, from two minutes on `12 min`, from two hours on `3.4 h`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def number(value: float | None, digits: int = 3) -> str:
    """Any other number, to `digits` significant digits: `0.000123`, `16`, `12,400`."""
    if value is None:
        return UNKNOWN
    return f"{value:.{digits}g}" if abs(value) < 1000 or not math.isfinite(value) else f"{value:,.0f}"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """`1 row`, `12,400 rows`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def listed(items: Sequence[str], most: int = 3) -> str:
    """`a`, `a and b`, `a, b and c`, `a, b, c and 9 more`."""
    if not items:
        return "none"
    shown = list(items[:most])
    if len(items) > most:
        return f"{', '.join(shown)} and {len(items) - most:,} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def unbroken(text: str) -> str:
    """The text with no-break spaces where a line must not end: between a number and its unit, and inside intervals."""
    return TOGETHER.sub(NO_BREAK_SPACE, text)


def module_group(name: str) -> str:
    """A group of modules of a model as a reader knows it: `cross-attention` for `cross`."""
    return MODULE_GROUPS.get(name, name)


def _percentage(fraction: float, *different: float | None) -> str:
    if fraction == 1:
        return "100"
    return _decimals(100 * fraction, 1, [100 * other for other in different if other is not None])


def _decimals(value: float, decimals: int, different: Sequence[float]) -> str:
    """`value` with the fewest decimals that do not make it read as one of the numbers it differs from."""
    if value == 0:
        return "0"
    others = [other for other in different if not math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9)]
    for places in range(decimals, MOST_DECIMALS + 1):
        text = f"{value + 0.0:.{places}f}"
        if all(float(text) != round(other, places) for other in others):
            return text
    return f"{value:.2g}"
