"""How much audio survives a duration threshold: the one test that tables, filters and scores share.

The table of what survives each duration threshold, from columns of rows and not from the rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from lora.data.row_columns import UNKNOWN, RowColumns, total_hours
from lora.records.manifests import Utterance


def survives(duration: float, max_seconds: float | None) -> bool:
    """Whether audio of `duration` seconds is kept; None keeps everything."""
    return max_seconds is None or duration <= max_seconds


def hours(rows: Iterable[Utterance]) -> float:
    return sum(row.duration for row in rows) / 3600.0


def speakers(rows: Iterable[Utterance]) -> int | None:
    """Number of known speakers; None where no row names one."""
    return len({row.speaker_id for row in rows} - {None}) or None


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


def duration_table(name: str, columns: RowColumns, thresholds: Iterable[float]) -> list[dict[str, object]]:
    """One row a threshold in ascending order and one for all, with `COLUMNS`; hours are hours, the rest
    seconds.

    Shares are of rows and of hours; mean, median and longest stand on the `all` row. An empty manifest has
    shares of 0.
    """
    lengths = columns.durations
    rows, total = len(lengths), total_hours(lengths)
    table: list[dict[str, object]] = []
    for threshold in (*sorted(set(thresholds)), None):
        kept = lengths <= (np.inf if threshold is None else threshold)  # as `durations.survives`
        kept_rows, kept_hours = int(kept.sum()), total_hours(lengths[kept])
        people = len(np.setdiff1d(columns.speakers[kept], UNKNOWN))
        entry: dict[str, object] = {
            "manifest": name,
            "threshold": ALL if threshold is None else f"{threshold:g}",
            "rows": kept_rows,
            "share": f"{kept_rows / rows if rows else 0.0:.4f}",
            "hours": f"{kept_hours:.4f}",
            "hours_share": f"{kept_hours / total if total else 0.0:.4f}",
            "speakers": people or "",
        }
        if threshold is None and rows:
            entry["mean"] = f"{math.fsum(lengths.tolist()) / rows:.3f}"
            entry["median"] = f"{np.median(lengths):.3f}"
            entry["longest"] = f"{lengths.max():.3f}"
        table.append(entry)
    return table
