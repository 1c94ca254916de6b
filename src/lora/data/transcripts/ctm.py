"""NIST ctm: lines of `file channel start duration word [confidence]`, `;;` comments, alternations in `<ALT...>` lines.

`lora.data.transcripts.word_assignment` assigns the words to rows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
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
NO_CONFIDENCE = {"na", "<na>", "n/a", "nan", "-", "none", "null"}
OVERLAP = 0.05  # seconds that a word may end after the next one begins, because times are rounded
FEWEST_ENDS, SHARE_OF_ENDS = 3, 0.75  # of words whose fourth field is no duration, from which none is
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

    Raises UserError for a line without a word or with several, for an alternation without its beginning or end, after
    which all words would be lost, for ends in place of durations, and for a recording that is in the file twice.
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
        if len(fields) > 5 and not _is_confidence(fields[5]):
            expected = f"expected a confidence or nothing after the word {fields[4]!r:.40}, and no spaces in a word"
            raise UserError(f"{path}:{number}: {expected}: {line.strip()!r:.80}")
        words = by_file.setdefault(fields[0], [])
        if HESITATION.match(fields[4]):
            hesitations += 1
        elif fields[4] not in NO_WORD:
            words.append(Word(_seconds(fields[2]), _seconds(fields[3]), fields[4], fields[1]))
    if alternative:
        raise UserError(f"{path}:{begun}: {ALT_BEGIN} without {ALT_END}; {ALTERNATIONS}")
    for words in by_file.values():
        words.sort(key=lambda word: word.start)  # stable: words with equal starts stay in the order of the file
    _require_durations(path, by_file)
    _require_one_of_each(path, by_file)
    if alternations:
        notes.append(f"{alternations} alternations were replaced by their first alternative")
    if hesitations:
        notes.append(f"{hesitations} hesitations marked with % were left out")
    return by_file


def _is_confidence(field: str) -> bool:
    return field.lower() in NO_CONFIDENCE or not math.isnan(plain_number(field))


def _require_durations(path: Path, by_file: Mapping[str, Sequence[Word]]) -> None:
    """Raise UserError where most words end where the next one begins only if their duration is an end.

    Their words would belong to later segments.
    """
    tracks: dict[tuple[str, str], list[Word]] = {}
    for name, words in by_file.items():
        for word in words:
            tracks.setdefault((name, word.channel), []).append(word)
    pairs = [(name, *pair) for (name, _), words in tracks.items() for pair in pairwise(words) if pair[0].start > 0]
    ends = [
        (name, word, after)
        for name, word, after in pairs
        if word.start <= word.duration <= after.start + OVERLAP < word.end
    ]
    if len(ends) < max(FEWEST_ENDS, SHARE_OF_ENDS * len(pairs)):
        return
    name, word, after = ends[0]
    raise UserError(
        f"{path}: the fourth field is an end and no duration: {word.text!r} of {name} would be from {word.start:g} to "
        f"{word.end:g} s, and the word after it begins at {after.start:g} s; write durations"
    )


def _require_one_of_each(path: Path, by_file: Mapping[str, Sequence[Word]]) -> None:
    """Raise UserError for a recording whose words are all there twice; words that take no time may be repeated."""
    for name, words in by_file.items():
        timed = Counter(word for word in words if word.duration > 0)
        if timed and min(timed.values()) > 1:
            word = next(iter(timed))
            raise UserError(
                f"{path}: the words of {name!r} are in the file {min(timed.values())} times, such as {word.text!r} at "
                f"{word.start:g} s, as in files that were joined; keep each of them once"
            )
