"""How much audio remains under a duration limit: the test that tables, filters and scores share, and the table."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from lora.data.row_columns import UNKNOWN, RowColumns, total_hours
from lora.records.manifests import Utterance

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
    """Whether audio of `duration` seconds is within the limit; None is no limit."""
    return max_seconds is None or duration <= max_seconds


def hours(rows: Iterable[Utterance]) -> float:
    return math.fsum(row.duration for row in rows) / 3600.0  # `sum` rounds otherwise from Python 3.12 on


def speakers(rows: Iterable[Utterance]) -> int | None:
    """Number of known speakers; None where no row names one."""
    return len({row.speaker_id for row in rows} - {None}) or None


def duration_table(name: str, columns: RowColumns, thresholds: Iterable[float]) -> list[dict[str, object]]:
    """What remains of a manifest under each duration limit.

    Args:
        name: the manifest.
        columns: its durations and speakers.
        thresholds: limits in seconds.

    Returns:
        One row per threshold in ascending order and one without a limit ("all"), with `COLUMNS`. `share` counts rows
        and `hours_share` hours, both 0 for an empty manifest; `mean`, `median` and `longest` (seconds) are only in the
        row without a limit. Numbers that are not whole are formatted.
    """
    seconds = columns.durations
    count = len(seconds)
    all_hours = total_hours(seconds)
    table: list[dict[str, object]] = []
    for threshold in (*sorted(set(thresholds)), None):
        within = seconds <= (np.inf if threshold is None else threshold)  # as `survives`
        within_hours = total_hours(seconds[within])
        rows = int(np.count_nonzero(within))
        known = columns.speakers[within & (columns.speakers != UNKNOWN)]
        table.append(
            {
                "manifest": name,
                "threshold": ALL if threshold is None else f"{threshold:g}",
                "rows": rows,
                "share": f"{rows / count if count else 0.0:.4f}",
                "hours": f"{within_hours:.4f}",
                "hours_share": f"{within_hours / all_hours if all_hours else 0.0:.4f}",
                "speakers": int(np.count_nonzero(np.bincount(known))) or "",
            }
        )
    if count:
        table[-1]["mean"] = f"{math.fsum(seconds) / count:.3f}"
        table[-1]["median"] = f"{np.median(seconds):.3f}"
        table[-1]["longest"] = f"{seconds.max():.3f}"
    return table
