"""Who and what a duration filter keeps over thresholds (rows, hours, speakers, words), and what goes with the rest.

Words are compared as the caller's normaliser gives them. What a filter loses is told beside what a lottery of the same
size would lose: a word on one row only goes missing easily, whatever its row is dropped for. A speaker or a word is
kept by a threshold that keeps its shortest row, so that texts are gone through once, whatever the number of thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lora.data.row_columns import UNKNOWN, Floats, Numbers, RowColumns, total_hours
from lora.records.durations import Dropped, RetentionFacts, RetentionPoint

Words = Callable[[str], Sequence[str]]

GRID_POINTS = 50  # steps of the curve, each a whole number of half seconds
NAMED_WORDS = 20


@dataclass(frozen=True)
class _Kinds:
    """Distinct speakers or words: their names, on how many rows each stands, and the seconds of its shortest row."""

    names: list[str]
    rows: Numbers
    shortest: Floats

    def kept(self, threshold: float | None) -> int:
        return int(np.count_nonzero(self.shortest <= (np.inf if threshold is None else threshold)))


@dataclass(frozen=True)
class _Manifest:
    """A manifest as far as a duration filter bears on it.

    `spoken` are the words of each row, shape (rows,), `running` how often each of `words` is said.
    """

    durations: Floats
    spoken: Numbers
    speakers: _Kinds
    words: _Kinds
    running: Numbers


def retention(columns: RowColumns, thresholds: Iterable[float], words: Words) -> RetentionFacts:
    """Facts over `thresholds` (seconds) and over a grid from 0 to the longest row."""
    limits = sorted(set(thresholds))
    grid: list[float | None] = [*sorted({*limits, *_grid(columns.durations)}), None]
    manifest = _counted(columns, words)
    return RetentionFacts(
        curve=[_point(manifest, limit) for limit in grid], dropped=[_dropped(manifest, limit) for limit in limits]
    )


def _grid(durations: Floats) -> list[float]:
    longest = float(durations.max(initial=0.0))
    step = max(0.5, math.ceil(2 * longest / GRID_POINTS) / 2)
    return [step * n for n in range(1, math.ceil(longest / step) + 1)]


def _counted(columns: RowColumns, words: Words) -> _Manifest:
    number: dict[str, int] = {}
    running: list[int] = []
    on_rows: list[int] = []
    shortest: list[float] = []
    spoken = np.zeros(len(columns.durations), dtype=np.int64)
    for row, (text, seconds) in enumerate(zip(columns.texts, columns.durations.tolist(), strict=True)):
        said = words(text)
        spoken[row] = len(said)
        for word in said:
            if word not in number:
                number[word] = len(number)
                running.append(0)
                on_rows.append(0)
                shortest.append(seconds)
            running[number[word]] += 1
        for word in set(said):
            place = number[word]
            on_rows[place] += 1
            shortest[place] = min(shortest[place], seconds)
    known = columns.speakers != UNKNOWN
    first = np.full(len(columns.names), np.inf)
    np.minimum.at(first, columns.speakers[known], columns.durations[known])
    people = np.bincount(columns.speakers[known], minlength=len(columns.names))
    return _Manifest(
        durations=columns.durations,
        spoken=spoken,
        speakers=_Kinds(columns.names, people, first),
        words=_Kinds(list(number), np.array(on_rows, dtype=np.int64), np.array(shortest, dtype=np.float64)),
        running=np.array(running, dtype=np.int64),
    )


def _point(manifest: _Manifest, threshold: float | None) -> RetentionPoint:
    kept = manifest.durations <= (np.inf if threshold is None else threshold)  # as `durations.survives`
    return RetentionPoint(
        threshold=threshold,
        rows=int(kept.sum()),
        hours=round(total_hours(manifest.durations[kept]), 6),
        speakers=manifest.speakers.kept(threshold) or None,
        words=manifest.words.kept(threshold),
    )


def _dropped(manifest: _Manifest, threshold: float) -> Dropped:
    rows, people, words = len(manifest.durations), manifest.speakers, manifest.words
    away = manifest.durations > threshold
    row_share = float(away.sum()) / rows if rows else 0.0
    lost_people = sorted(
        (people.names[i], int(people.rows[i])) for i in np.flatnonzero(people.shortest > threshold).tolist()
    )
    lost = np.flatnonzero(words.shortest > threshold)
    named = sorted(lost.tolist(), key=lambda i: (-int(manifest.running[i]), words.names[i]))[:NAMED_WORDS]
    running = int(manifest.running.sum())
    total = running or 1
    dropped_words = int(manifest.spoken[away].sum())
    chance = (dropped_words / total) ** words.rows
    hours_away = total_hours(manifest.durations[away])
    return Dropped(
        threshold=threshold,
        rows=int(away.sum()),
        hours=round(hours_away, 6),
        lost_speakers=[name for name, _ in lost_people],
        expected_lost_speakers=round(float((row_share**people.rows).sum()), 3),
        lost_speaker_probabilities=[float(f"{row_share**count:.3g}") for _, count in lost_people],
        lost_words=[words.names[i] for i in named],
        lost_word_count=len(lost),
        expected_lost_word_count=round(float(chance.sum()), 3),
        lost_word_share=round(int(manifest.running[lost].sum()) / total, 6),
        expected_lost_word_share=round(float((manifest.running * chance).sum()) / total, 6),
        kept_words_per_second=_rate(running - dropped_words, 3600 * (total_hours(manifest.durations) - hours_away)),
        dropped_words_per_second=_rate(dropped_words, 3600 * hours_away),
    )


def _rate(words: int, seconds: float) -> float | None:
    return round(words / seconds, 4) if seconds > 1e-6 else None
