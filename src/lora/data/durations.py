"""How much audio remains under a duration limit: the test that tables, filters and scores share, and the table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from lora.data.row_columns import UNKNOWN, RowColumns, total_hours
from lora.records.manifests import Utterance

if TYPE_CHECKING:
    import pandas

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


def duration_table(name: str, columns: RowColumns, thresholds: Iterable[float]) -> pandas.DataFrame:
    """What remains of a manifest under each duration limit.

    Args:
        name: the manifest.
        columns: its durations and speakers.
        thresholds: limits in seconds.

    Returns:
        One row per threshold in ascending order and one without a limit ("all"), with `COLUMNS`. `share` counts rows
        and `hours_share` hours, both 0 for an empty manifest; `mean`, `median` and `longest` (seconds) are only in the
        row without a limit. Numbers are formatted, so that the written table does not depend on pandas.
    """
    import pandas

    rows = pandas.DataFrame({"seconds": columns.durations, "speaker": columns.speakers})
    count = len(rows)
    all_hours = total_hours(columns.durations)
    table: list[dict[str, object]] = []
    for threshold in (*sorted(set(thresholds)), None):
        within = rows[rows["seconds"] <= (np.inf if threshold is None else threshold)]  # as `survives`
        within_hours = total_hours(within["seconds"].to_numpy())
        names = within["speaker"].unique()
        entry: dict[str, object] = {
            "manifest": name,
            "threshold": ALL if threshold is None else f"{threshold:g}",
            "rows": len(within),
            "share": f"{len(within) / count if count else 0.0:.4f}",
            "hours": f"{within_hours:.4f}",
            "hours_share": f"{within_hours / all_hours if all_hours else 0.0:.4f}",
            "speakers": int((names != UNKNOWN).sum()) or "",
        }
        if threshold is None and count:
            entry["mean"] = f"{math.fsum(columns.durations.tolist()) / count:.3f}"
            entry["median"] = f"{rows['seconds'].median():.3f}"
            entry["longest"] = f"{rows['seconds'].max():.3f}"
        table.append(entry)
    return pandas.DataFrame(table, columns=list(COLUMNS), dtype=object).where(lambda cells: cells.notna(), None)
