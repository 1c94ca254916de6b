"""Who and what a duration filter keeps over thresholds (rows, hours, speakers, words), and what goes with the rest.

Words are compared as the caller's normaliser gives them. What a filter loses is told beside what a lottery of the same
size would lose: a word on one row only goes missing easily, whatever its row is dropped for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from lora.data.durations import hours, speakers, survives
from lora.records import Dropped, RetentionFacts, RetentionPoint, Utterance

Words = Callable[[str], Sequence[str]]

GRID_POINTS = 50  # steps of the curve, each a whole number of half seconds
NAMED_WORDS = 20


def retention(rows: Sequence[Utterance], thresholds: Iterable[float], words: Words) -> RetentionFacts:
    """Facts over `thresholds` (seconds) and over a grid from 0 to the longest row."""
    limits = sorted(set(thresholds))
    grid: list[float | None] = [*sorted({*limits, *_grid(rows)}), None]
    texts = [tuple(words(row.text)) for row in rows]
    curve = [_point(rows, texts, limit) for limit in grid]
    return RetentionFacts(curve=curve, dropped=[_dropped(rows, texts, limit) for limit in limits])


def _grid(rows: Sequence[Utterance]) -> list[float]:
    longest = max((row.duration for row in rows), default=0.0)
    step = max(0.5, math.ceil(2 * longest / GRID_POINTS) / 2)
    return [step * n for n in range(1, math.ceil(longest / step) + 1)]


def _point(rows: Sequence[Utterance], texts: Sequence[tuple[str, ...]], threshold: float | None) -> RetentionPoint:
    kept = [i for i, row in enumerate(rows) if survives(row.duration, threshold)]
    return RetentionPoint(
        threshold=threshold,
        rows=len(kept),
        hours=round(hours(rows[i] for i in kept), 6),
        speakers=speakers([rows[i] for i in kept]),
        words=len({word for i in kept for word in texts[i]}),
    )


def _dropped(rows: Sequence[Utterance], texts: Sequence[tuple[str, ...]], threshold: float) -> Dropped:
    keeps = [survives(row.duration, threshold) for row in rows]
    away = [row for row, keep in zip(rows, keeps, strict=True) if not keep]
    row_share = len(away) / len(rows) if rows else 0.0
    people = Counter(row.speaker_id for row in rows if row.speaker_id is not None)
    staying = {row.speaker_id for row, keep in zip(rows, keeps, strict=True) if keep}
    running = Counter(word for text in texts for word in text)
    on_rows = Counter(word for text in texts for word in set(text))
    kept_words = {word for text, keep in zip(texts, keeps, strict=True) if keep for word in text}
    lost_people = sorted(people.keys() - staying)
    lost = sorted(running.keys() - kept_words, key=lambda word: (-running[word], word))
    total = sum(running.values()) or 1
    dropped_words = sum(len(text) for text, keep in zip(texts, keeps, strict=True) if not keep)
    chance = {word: (dropped_words / total) ** on_rows[word] for word in running}
    return Dropped(
        threshold=threshold,
        rows=len(away),
        hours=round(hours(away), 6),
        lost_speakers=lost_people,
        expected_lost_speakers=round(sum(row_share**n for n in people.values()), 3),
        lost_speaker_odds=[float(f"{row_share ** people[name]:.3g}") for name in lost_people],
        lost_words=lost[:NAMED_WORDS],
        lost_word_count=len(lost),
        expected_lost_word_count=round(sum(chance.values()), 3),
        lost_word_share=round(sum(running[word] for word in lost) / total, 6),
        expected_lost_word_share=round(sum(running[word] * chance[word] for word in running) / total, 6),
        kept_rate=_rate(sum(running.values()) - dropped_words, 3600 * (hours(rows) - hours(away))),
        dropped_rate=_rate(dropped_words, 3600 * hours(away)),
    )


def _rate(words: int, seconds: float) -> float | None:
    return round(words / seconds, 4) if seconds > 1e-6 else None
