"""What a duration limit keeps (rows, hours, speakers, words), and what it loses with the dropped rows.

Words are compared as the caller's normaliser gives them. Losses are reported next to the losses of a random sample of
the same size: a word that occurs on one row is easily lost, whatever the reason for dropping its row. A limit keeps a
speaker or word if it keeps the shortest row of it, so that texts are read once for any number of limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lora.data.row_columns import UNKNOWN, Floats, Numbers, RowColumns, total_hours
from lora.records.durations import Dropped, RetentionFacts, RetentionPoint

if TYPE_CHECKING:
    import pandas

Words = Callable[[str], Sequence[str]]

GRID_POINTS = 50  # steps of the curve, each a whole number of half seconds
NAMED_WORDS = 20


@dataclass(frozen=True)
class _Manifest:
    """Tables of one manifest.

    Attributes:
        durations: seconds of each row, shape (rows,).
        row_words: number of words of each row, shape (rows,).
        speakers: by name, `rows` and the seconds of the `shortest` row.
        words: by word, `rows`, `shortest` and the number of `occurrences`.
    """

    durations: Floats
    row_words: Numbers
    speakers: pandas.DataFrame
    words: pandas.DataFrame


def retention(columns: RowColumns, thresholds: Iterable[float], words: Words) -> RetentionFacts:
    """What remains under each limit, and what each of `thresholds` loses.

    Args:
        columns: durations, speakers and texts of the manifest.
        thresholds: limits in seconds. The curve adds a grid from 0 to the longest row.
        words: normaliser.
    """
    limits = sorted(set(thresholds))
    grid: list[float | None] = [*sorted({*limits, *_grid(columns.durations)}), None]
    manifest = _tables(columns, words)
    return RetentionFacts(
        curve=[_point(manifest, limit) for limit in grid], dropped=[_dropped(manifest, limit) for limit in limits]
    )


def _grid(durations: Floats) -> list[float]:
    longest = float(durations.max(initial=0.0))
    step = max(0.5, math.ceil(2 * longest / GRID_POINTS) / 2)
    return [step * n for n in range(1, math.ceil(longest / step) + 1)]


def _tables(columns: RowColumns, words: Words) -> _Manifest:
    import pandas

    index: dict[str, int] = {}
    occurrences: list[int] = []
    rows: list[int] = []
    shortest: list[float] = []
    row_words = np.zeros(len(columns.durations), dtype=np.int64)
    for row, (text, seconds) in enumerate(zip(columns.texts, columns.durations.tolist(), strict=True)):
        normalized = words(text)
        row_words[row] = len(normalized)
        for word in normalized:
            if word not in index:
                index[word] = len(index)
                occurrences.append(0)
                rows.append(0)
                shortest.append(seconds)
            occurrences[index[word]] += 1
        for word in set(normalized):
            place = index[word]
            rows[place] += 1
            shortest[place] = min(shortest[place], seconds)
    known = columns.speakers != UNKNOWN
    by_speaker = pandas.Series(columns.durations[known]).groupby(columns.speakers[known])
    speakers = pandas.DataFrame({"rows": by_speaker.size(), "shortest": by_speaker.min()})
    speakers.index = pandas.Index([columns.names[number] for number in speakers.index], dtype=object)
    counts = {
        "rows": np.array(rows, dtype=np.int64),
        "shortest": np.array(shortest, dtype=np.float64),
        "occurrences": np.array(occurrences, dtype=np.int64),
    }
    return _Manifest(
        durations=columns.durations,
        row_words=row_words,
        speakers=speakers,
        words=pandas.DataFrame(counts, index=pandas.Index(list(index), dtype=object)),
    )


def _point(manifest: _Manifest, threshold: float | None) -> RetentionPoint:
    limit = np.inf if threshold is None else threshold
    within = manifest.durations <= limit  # as `durations.survives`
    return RetentionPoint(
        threshold=threshold,
        rows=int(within.sum()),
        hours=round(total_hours(manifest.durations[within]), 6),
        speakers=int((manifest.speakers["shortest"] <= limit).sum()) or None,
        words=int((manifest.words["shortest"] <= limit).sum()),
    )


def _dropped(manifest: _Manifest, threshold: float) -> Dropped:
    """Losses under a limit, with those expected of a random sample of the same rows or words."""
    too_long = manifest.durations > threshold
    rows = len(manifest.durations)
    row_share = float(too_long.sum()) / rows if rows else 0.0
    lost_speakers = manifest.speakers[manifest.speakers["shortest"] > threshold].sort_index()
    speaker_rows: list[int] = lost_speakers["rows"].tolist()
    lost_words = manifest.words[manifest.words["shortest"] > threshold]
    named = sorted(zip(lost_words["occurrences"].tolist(), lost_words.index, strict=True), key=_most_frequent_first)
    occurrences = manifest.words["occurrences"].to_numpy()
    all_words = int(occurrences.sum())
    dropped_words = int(manifest.row_words[too_long].sum())
    chance = (dropped_words / (all_words or 1)) ** manifest.words["rows"].to_numpy()
    dropped_hours = total_hours(manifest.durations[too_long])
    kept_hours = total_hours(manifest.durations) - dropped_hours
    return Dropped(
        threshold=threshold,
        rows=int(too_long.sum()),
        hours=round(dropped_hours, 6),
        lost_speakers=list(lost_speakers.index),
        expected_lost_speakers=round(float((row_share ** manifest.speakers["rows"].to_numpy()).sum()), 3),
        lost_speaker_probabilities=[float(f"{row_share**count:.3g}") for count in speaker_rows],
        lost_words=[word for _, word in named[:NAMED_WORDS]],
        lost_word_count=len(lost_words),
        expected_lost_word_count=round(float(chance.sum()), 3),
        lost_word_share=round(int(lost_words["occurrences"].sum()) / (all_words or 1), 6),
        expected_lost_word_share=round(float((occurrences * chance).sum()) / (all_words or 1), 6),
        kept_words_per_second=_rate(all_words - dropped_words, 3600 * kept_hours),
        dropped_words_per_second=_rate(dropped_words, 3600 * dropped_hours),
    )


def _most_frequent_first(entry: tuple[int, str]) -> tuple[int, str]:
    return -entry[0], entry[1]


def _rate(words: int, seconds: float) -> float | None:
    """Words per second; None without audio."""
    return round(words / seconds, 4) if seconds > 1e-6 else None
