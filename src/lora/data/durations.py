"""How much audio survives a duration threshold: the one test that tables, filters and scores share, and the
table.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from lora.records import Utterance

COLUMNS = (
    "manifest",
    "threshold",
    "rows",
    "share",
    "hours",
    "hours_share",
    "speakers",
    "mean",
    "median",
    "longest",
)
ALL = "all"


def survives(duration: float, max_seconds: float | None) -> bool:
    """Whether audio of `duration` seconds is kept; None keeps everything."""
    return max_seconds is None or duration <= max_seconds


def hours(rows: Iterable[Utterance]) -> float:
    return sum(row.duration for row in rows) / 3600.0


def speakers(rows: Iterable[Utterance]) -> int | None:
    """Number of known speakers; None where no row names one."""
    return len({row.speaker_id for row in rows} - {None}) or None


def duration_table(name: str, rows: Sequence[Utterance], thresholds: Iterable[float]) -> list[dict[str, object]]:
    """One row a threshold in ascending order and one for all, with `COLUMNS`; hours are hours, the rest
    seconds.

    Shares are of rows and of hours; mean, median and longest stand on the `all` row. An empty manifest has
    shares of 0.
    """
    total = hours(rows)
    table: list[dict[str, object]] = []
    for threshold in (*sorted(set(thresholds)), None):
        kept = [row for row in rows if survives(row.duration, threshold)]
        entry: dict[str, object] = {
            "manifest": name,
            "threshold": ALL if threshold is None else f"{threshold:g}",
            "rows": len(kept),
            "share": f"{len(kept) / len(rows) if rows else 0.0:.4f}",
            "hours": f"{hours(kept):.4f}",
            "hours_share": f"{hours(kept) / total if total else 0.0:.4f}",
            "speakers": _or_blank(speakers(kept)),
        }
        if threshold is None and rows:
            lengths = [row.duration for row in rows]
            entry["mean"] = f"{statistics.fmean(lengths):.3f}"
            entry["median"] = f"{statistics.median(lengths):.3f}"
            entry["longest"] = f"{max(lengths):.3f}"
        table.append(entry)
    return table


def _or_blank(value: int | None) -> object:
    return "" if value is None else value
