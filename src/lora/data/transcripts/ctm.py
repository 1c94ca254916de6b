"""NIST ctm: lines of `file channel start duration word [confidence]`, `;;` comments, alternations in `<ALT...>` lines.

`lora.data.transcripts.word_assignment` assigns the words to rows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lora.data.time_text import plain_number
from lora.data.transcripts.trn import HESITATION
from lora.records.base import UserError

# Channel names of NIST to channel numbers of manifests.
CHANNELS = {name: number for number, names in enumerate(zip("12345678", "ABCDEFGH", strict=True)) for name in names}
ALT_BEGIN, ALT_END = "<ALT_BEGIN>", "<ALT_END>"
ALTERNATIONS = f"correct it: {ALT_BEGIN}, words, <ALT>, other words, {ALT_END}"
NO_WORD = {"@", "<eps>", "<epsilon>"}
UNTIMED = math.nan  # start and duration of a word of a text without times


class Word(NamedTuple):
    """A word with times in seconds; `continues` says that no space is between it and the word before."""

    start: float
    duration: float
    text: str
    channel: str = "1"
    continues: bool = False

    @property
    def timed(self) -> bool:
        return not math.isnan(self.start)

    @property
    def end(self) -> float:
        return self.start + self.duration


def joined(words: Iterable[Word]) -> str:
    """The text of words."""
    return "".join(word.text if word.continues else f" {word.text}" for word in words).strip()


def fields_of(line: str) -> list[str]:
    """The fields of a line; a word may contain blanks of other kinds, such as one without a line break."""
    return line.split() if line.isascii() else re.split(r"[ \t]+", line.strip())


def is_word(fields: Sequence[str]) -> bool:
    """Whether a line's fields are those of a word or of an alternation mark."""
    if len(fields) not in {5, 6, 7, 8}:
        return False
    return fields[4].startswith("<ALT") or not any(math.isnan(_seconds(field)) for field in fields[2:4])


def _seconds(field: str) -> float:
    value = plain_number(field)
    return value if 0 <= value < math.inf else math.nan


def read_words(path: Path, lines: Iterator[tuple[int, str]], notes: list[str]) -> dict[str, list[Word]]:
    """Words of every file in order of time; adds decisions to `notes`.

    Raises UserError for a line without a word, and for an alternation without its beginning or end, after which all
    words would be lost.
    """
    by_file: dict[str, list[Word]] = {}
    hesitations = 0
    alternations = 0
    alternative = 0  # number of the current one inside an alternation, 0 outside
    begun = 0  # line of the last alternation
    for number, line in lines:
        fields = fields_of(line)
        if not line.strip() or fields[0].startswith(";;"):
            continue
        if not is_word(fields):
            expected = "expected file, channel, start, duration and word (seconds from 0)"
            raise UserError(f"{path}:{number}: {expected}: {line.strip()!r:.80}")
        mark = fields[4].upper()
        if mark.startswith("<ALT"):
            if (mark == ALT_BEGIN) == (alternative > 0):
                place = "inside" if alternative else "outside"
                raise UserError(f"{path}:{number}: {mark} {place} an alternation; {ALTERNATIONS}")
            if mark == ALT_BEGIN:
                alternations += 1
                begun = number
            alternative = {ALT_BEGIN: 1, ALT_END: 0}.get(mark, alternative + 1)
            continue
        if alternative > 1:
            continue  # only the first alternative counts
        words = by_file.setdefault(fields[0], [])
        if HESITATION.match(fields[4]):
            hesitations += 1
        elif fields[4] not in NO_WORD:
            words.append(Word(_seconds(fields[2]), _seconds(fields[3]), fields[4], fields[1]))
    if alternative:
        raise UserError(f"{path}:{begun}: {ALT_BEGIN} without {ALT_END}; {ALTERNATIONS}")
    for words in by_file.values():
        words.sort(key=lambda word: word.start)  # stable: words with equal starts stay in the order of the file
    if alternations:
        notes.append(f"{alternations} alternations were replaced by their first alternative")
    if hesitations:
        notes.append(f"{hesitations} hesitations marked with % were left out")
    return by_file
