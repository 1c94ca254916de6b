"""What a duration limit keeps (rows, hours, speakers, words), and what it loses with the dropped rows.

Words are compared as the caller's normaliser gives them. Losses are reported next to the losses of a random sample of
the same size: a word that occurs on one row is easily lost, whatever the reason for dropping its row. A limit keeps a
speaker or word if it keeps the shortest row of it, so that texts are read once for any number of limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from lora.data.row_columns import UNKNOWN, Floats, Numbers, RowColumns, total_hours
from lora.records.durations import Dropped, RetentionFacts, RetentionPoint

if TYPE_CHECKING:
    import pandas

Normalize = Callable[[Sequence[str]], Sequence[str]]

AT_ONCE = 20_000  # rows whose words are in memory together
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


def retention(columns: RowColumns, thresholds: Iterable[float], normalize: Normalize) -> RetentionFacts:
    """What remains under each limit, and what each of `thresholds` loses.

    Args:
        columns: durations, speakers and texts of the manifest.
        thresholds: limits in seconds. The curve adds a grid from 0 to the longest row.
        normalize: normaliser of texts, whose words are separated by spaces.
    """
    limits = sorted(set(thresholds))
    grid: list[float | None] = [*sorted({*limits, *_grid(columns.durations)}), None]
    manifest = _tables(columns, normalize)
    return RetentionFacts(
        curve=[_point(manifest, limit) for limit in grid], dropped=[_dropped(manifest, limit) for limit in limits]
    )


def _grid(durations: Floats) -> list[float]:
    longest = float(durations.max(initial=0.0))
    step = max(0.5, math.ceil(2 * longest / GRID_POINTS) / 2)
    return [step * n for n in range(1, math.ceil(longest / step) + 1)]


def _tables(columns: RowColumns, normalize: Normalize) -> _Manifest:
    import pandas

    index = _Numbers()
    parts = [
        _words_of(columns.texts[start : start + AT_ONCE], columns.durations[start : start + AT_ONCE], normalize, index)
        for start in range(0, len(columns.texts), AT_ONCE)
    ]
    known = columns.speakers != UNKNOWN
    by_speaker = pandas.Series(columns.durations[known]).groupby(columns.speakers[known])
    speakers = pandas.DataFrame({"rows": by_speaker.size(), "shortest": by_speaker.min()})
    speakers.index = pandas.Index([columns.names[number] for number in speakers.index], dtype=object)
    counts = {
        "rows": np.zeros(len(index), dtype=np.int64),
        "shortest": np.full(len(index), np.inf),
        "occurrences": np.zeros(len(index), dtype=np.int64),
    }
    for part in parts:
        seen = len(part.occurrences)  # words up to the end of this part
        counts["rows"][:seen] += part.rows
        counts["shortest"][:seen] = np.minimum(counts["shortest"][:seen], part.shortest)
        counts["occurrences"][:seen] += part.occurrences
    return _Manifest(
        durations=columns.durations,
        row_words=np.concatenate([part.row_words for part in parts] or [np.zeros(0, np.int64)]),
        speakers=speakers,
        words=pandas.DataFrame(counts, index=pandas.Index(list(index), dtype=object)),
    )


class _Numbers(dict[str, int]):
    """The number of each word, a new one at its first occurrence."""

    def __missing__(self, word: str) -> int:
        return self.setdefault(word, len(self))


@dataclass(frozen=True)
class _Part:
    """Counts over some rows: words of each row, and by number of the word its rows, shortest row and occurrences."""

    row_words: Numbers
    rows: Numbers
    shortest: Floats
    occurrences: Numbers


def _words_of(texts: Sequence[str], durations: Floats, normalize: Normalize, index: _Numbers) -> _Part:
    normalized = [text.split() for text in normalize(texts)]
    row_words = np.array([len(row) for row in normalized], dtype=np.int64)
    numbers = np.array(list(map(index.__getitem__, chain.from_iterable(normalized))), dtype=np.int64)
    row_of = np.repeat(np.arange(len(texts)), row_words)
    # By word, then by row: a word once per row.
    word_and_row = np.sort(numbers * len(texts) + row_of)
    word_and_row = word_and_row[np.diff(word_and_row, prepend=-1) > 0]
    word_of, row_of = np.divmod(word_and_row, max(len(texts), 1))
    shortest = np.full(len(index), np.inf)
    firsts = np.flatnonzero(np.diff(word_of, prepend=-1))
    if len(firsts):
        shortest[word_of[firsts]] = np.minimum.reduceat(durations[row_of], firsts)
    return _Part(
        row_words=row_words,
        rows=np.bincount(word_of, minlength=len(index)),
        shortest=shortest,
        occurrences=np.bincount(numbers, minlength=len(index)),
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
