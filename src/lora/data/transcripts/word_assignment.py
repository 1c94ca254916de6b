"""Words with times (ctm, segments) to the rows of their recording.

Rows that are pieces in a manifest get the words that they contain most of; words outside all pieces belong to none.
Rows of an stm cover their recording as for sclite: the middle of a word decides, and a word in a gap belongs to the
segment after it, or to the last one.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lora.data.transcripts.ctm import CHANNELS, Word
from lora.records.manifests import Utterance


@dataclass(frozen=True)
class Assigned:
    """Words by row id (every row has an entry), words that belong to no row, and words in gaps of an stm."""

    by_row: dict[str, list[Word]]
    outside: list[Word] = field(default_factory=list)
    in_gaps: list[Word] = field(default_factory=list)


def of_channel(words: Iterable[Word], channel: int | None) -> list[Word]:
    """Words of a channel (from 0); all words where `channel` is None or the ctm names channels in an unknown way."""
    words = list(words)
    if channel is None or any(word.channel.upper() not in CHANNELS for word in words):
        return words
    return [word for word in words if CHANNELS[word.channel.upper()] == channel]


def assign(words: Sequence[Word], rows: Sequence[Utterance]) -> Assigned:
    """Assign words of one recording and channel; `rows` are its segments."""
    if len(rows) == 1 and not all(word.timed for word in words):
        return Assigned({rows[0].id: list(words)})
    if all(row.word_times is not None for row in rows):
        return _by_middle(words, rows)
    return _by_overlap(words, rows)


def _by_middle(words: Iterable[Word], rows: Sequence[Utterance]) -> Assigned:
    assigned = Assigned({row.id: [] for row in rows})
    rows = sorted(rows, key=_times)
    ends = [_times(row)[1] for row in rows]
    for word in words:
        middle = word.start + word.duration / 2
        place = bisect_right(ends, middle)  # the first row that ends after it
        if place == len(rows) or middle < _times(rows[place])[0]:
            assigned.outside.append(word)
            continue
        row = rows[place]
        assigned.by_row[row.id].append(word)
        start = row.offset or 0.0
        if not start <= middle <= start + row.duration:
            assigned.in_gaps.append(word)
    return assigned


def _times(row: Utterance) -> tuple[float, float]:
    start, end = row.word_times or (0.0, None)
    return start, math.inf if end is None else end


def _by_overlap(words: Iterable[Word], rows: Sequence[Utterance]) -> Assigned:
    assigned = Assigned({row.id: [] for row in rows})
    starts = np.array([row.offset or 0.0 for row in rows])
    whole = [row.offset is None or row.duration == 0 for row in rows]  # an unknown duration is 0
    ends = np.where(whole, math.inf, starts + np.array([row.duration for row in rows]))
    for word in words:
        overlap = np.minimum(word.end, ends) - np.maximum(word.start, starts)  # the negative distance where none
        inside = (starts <= word.start) & (word.start < ends)
        best = overlap == overlap.max()
        place = int(np.argmax(best & inside if (best & inside).any() else best))
        if overlap[place] > 0 or inside[place]:
            assigned.by_row[rows[place].id].append(word)
        else:
            assigned.outside.append(word)
    return assigned
