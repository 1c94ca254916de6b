"""NIST ctm: lines of `file channel start duration word [confidence]`, `;;` comments, alternations in `<ALT...>` lines.

Words are assigned to the row that the file name names, else by time: to the row whose segment of the recording (offset
and duration) overlaps most with the word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lora.records.base import UserError
from lora.records.manifests import Utterance

CHANNELS = {"1": 0, "A": 0, "2": 1, "B": 1}  # channel names of NIST to channel numbers of manifests
NO_WORD = {"@", "<eps>", "<epsilon>"}


class Word(NamedTuple):
    start: float
    duration: float
    text: str
    channel: str = "1"

    @property
    def end(self) -> float:
        return self.start + self.duration


def is_word(fields: Sequence[str]) -> bool:
    """Whether a line's fields are those of a word or of an alternation mark."""
    if len(fields) not in {5, 6, 7, 8}:
        return False
    return fields[4].startswith("<ALT") or not any(math.isnan(_seconds(field)) for field in fields[2:4])


def _seconds(field: str) -> float:
    try:
        value = float(field)
    except ValueError:
        return math.nan
    return value if 0 <= value < math.inf else math.nan


def read_words(path: Path, lines: Iterator[tuple[int, str]], notes: list[str]) -> dict[str, list[Word]]:
    """Words of every file in order of time; adds decisions to `notes`. Raises UserError for a line without a word."""
    by_file: dict[str, list[Word]] = {}
    channels: dict[str, set[str]] = {}
    alternations = 0
    alternative = 0  # number of the current one inside an alternation, 0 outside
    for number, line in lines:
        fields = line.split()
        if not fields or fields[0].startswith(";;"):
            continue
        if not is_word(fields):
            expected = "expected file, channel, start, duration and word (seconds from 0)"
            raise UserError(f"{path}:{number}: {expected}: {line.strip()!r:.80}")
        mark = fields[4].upper()
        if mark.startswith("<ALT"):
            alternations += mark == "<ALT_BEGIN>"
            alternative = {"<ALT_BEGIN>": 1, "<ALT_END>": 0}.get(mark, alternative + 1)
            continue
        if alternative > 1:
            continue  # only the first alternative counts
        words = by_file.setdefault(fields[0], [])
        channels.setdefault(fields[0], set()).add(fields[1])
        if fields[4] not in NO_WORD:
            words.append(Word(_seconds(fields[2]), _seconds(fields[3]), fields[4], fields[1]))
    for words in by_file.values():
        words.sort(key=lambda word: word.start)  # stable: words with equal starts stay in the order of the file
    if alternations:
        notes.append(f"{alternations} alternations were replaced by their first alternative")
    several = sorted(name for name, used in channels.items() if len(used) > 1)
    if several:
        notes.append(
            f"{len(several)} files have several channels, whose words are merged in order of time; first: {several[0]}"
        )
    return by_file


def of_channel(words: Iterable[Word], channel: int | None) -> list[Word]:
    """Words of a channel (from 0); all words where `channel` is None or the ctm names channels in an unknown way."""
    words = list(words)
    if channel is None or any(word.channel.upper() not in CHANNELS for word in words):
        return words
    return [word for word in words if CHANNELS[word.channel.upper()] == channel]


def words_by_time(words: Iterable[Word], rows: Sequence[Utterance]) -> tuple[dict[str, list[str]], list[Word]]:
    """Words by row id (every row has an entry), and words outside of all rows; `rows` are segments of one recording."""
    by_row: dict[str, list[str]] = {row.id: [] for row in rows}
    starts = np.array([row.offset or 0.0 for row in rows])
    ends = starts + np.array([row.duration for row in rows])
    outside: list[Word] = []
    for word in words:
        overlap = np.minimum(word.end, ends) - np.maximum(word.start, starts)  # the negative distance where none
        inside = (starts <= word.start) & (word.start < ends)
        best = overlap == overlap.max()
        place = int(np.argmax(best & inside if (best & inside).any() else best))
        if overlap[place] > 0 or inside[place]:
            by_row[rows[place].id].append(word.text)
        else:
            outside.append(word)
    return by_row, outside
