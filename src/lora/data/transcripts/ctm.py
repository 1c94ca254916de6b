"""ctm: `file channel start duration word [confidence]` a line, `;;` comments, alternations between `<ALT...>` lines.

Words belong to a row by the file's name where it names one row, else by time: the row whose piece of the recording
(offset and duration) holds most of the word.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lora.records.base import UserError
from lora.records.manifests import Utterance

CHANNELS = {"1": 0, "A": 0, "2": 1, "B": 1}  # as NIST counts and names them, to those of manifests
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
    """Whether a line's fields are those of a word (or of an alternation's mark)."""
    if len(fields) not in {5, 6, 7, 8}:
        return False
    return fields[4].startswith("<ALT") or not any(math.isnan(_seconds(field)) for field in fields[2:4])


def _seconds(field: str) -> float:
    try:
        value = float(field)
    except ValueError:
        return math.nan
    return value if 0 <= value < math.inf else math.nan


def read_words(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[dict[str, list[Word]], list[str]]:
    """Words of every file in the order of time, and notes. Raises UserError naming the line that holds no word."""
    found: dict[str, list[Word]] = {}
    channels: dict[str, set[str]] = {}
    alternations, alternative = 0, 0
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
            continue  # the first of an alternation is taken
        words = found.setdefault(fields[0], [])
        channels.setdefault(fields[0], set()).add(fields[1])
        if fields[4] not in NO_WORD:
            words.append(Word(_seconds(fields[2]), _seconds(fields[3]), fields[4], fields[1]))
    for words in found.values():
        words.sort(key=lambda word: word.start)  # stable: equal starts stay as written
    notes = [f"of {alternations} alternations the first was taken"] if alternations else []
    several = sorted(name for name, used in channels.items() if len(used) > 1)
    if several:
        notes.append(
            f"{len(several)} files hold several channels, whose words are put in one order of time: {several[0]}"
        )
    return found, notes


def of_channel(words: Iterable[Word], channel: int | None) -> list[Word]:
    """Words of a manifest's channel (from 0); all of them where rows name none, or the ctm names it in other ways."""
    words = list(words)
    if channel is None or any(word.channel.upper() not in CHANNELS for word in words):
        return words
    return [word for word in words if CHANNELS[word.channel.upper()] == channel]


def words_by_time(words: Iterable[Word], rows: Sequence[Utterance]) -> tuple[dict[str, list[str]], list[Word]]:
    """Texts by row id (every row has an entry), and words that lie in no row; `rows` are pieces of one recording."""
    heard: dict[str, list[str]] = {row.id: [] for row in rows}
    starts = np.array([row.offset or 0.0 for row in rows])
    ends = starts + np.array([row.duration for row in rows])
    outside = []
    for word in words:
        shared = np.minimum(word.end, ends) - np.maximum(word.start, starts)  # negative is the distance
        holds = (starts <= word.start) & (word.start < ends)
        best = shared == shared.max()
        place = int(np.argmax(best & holds if (best & holds).any() else best))
        if shared[place] > 0 or holds[place]:
            heard[rows[place].id].append(word.text)
        else:
            outside.append(word)
    return heard, outside
