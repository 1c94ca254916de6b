"""sclite's trn: lines of `words (id)`, `;;` comments, `{a / b}` alternations, `(%hesitation)` and similar marks.

A hypothesis has to be one text: the first alternative counts (`@` is no word), hesitations marked with `%` are left
out, other words in parentheses count as words. Each of these decisions is counted. A brace that belongs to no
alternation is a letter, as in Buckwalter's transliteration of Arabic.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lora.records.base import UserError

ID = re.compile(r"\(([^()\s]+)\)\s*$")
# The lookahead for the closing brace keeps the search linear in a line that has none.
ALTERNATION = re.compile(r"\{(?=[^{}]*\})([^{}]*\s/\s[^{}]*|\s[^{}]*\s)\}")
SLASH = re.compile(r"\s/\s|^/\s|\s/$")
DEEPEST = 20  # alternations within each other; what is deeper counts as letters
HESITATION = re.compile(r"^\(?%[^\W\d_][^\s()]*\)?$")  # a letter: `50 %`, or the Turkish `%50`, is spoken
DECISIONS = {
    "alternations": "alternations {a / b} were replaced by their first alternative",
    "hesitations": "hesitations marked with % were left out",
    "bracketed": "words in parentheses count as words",
    "braces": "braces belong to no alternation {a / b} and count as letters, as Buckwalter writes them",
}


class Line(NamedTuple):
    """`marked` are the words of a reference: with all alternatives, `(uh)` as an alternative of no word."""

    number: int
    id: str
    words: str
    marked: str | None = None


def read_lines(path: Path, lines: Iterator[tuple[int, str]], notes: list[str]) -> Iterator[Line]:
    """Transcripts of a file; adds decisions to `notes`. Raises UserError for a line without id."""
    decisions: Counter[str] = Counter()
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        id_match = ID.search(line)
        if id_match is None:
            raise UserError(f"{path}:{number}: no id in parentheses at the end of the line: {line.strip()!r:.80}")
        words = line[: id_match.start()]
        yield Line(number, id_match[1], spoken(words, decisions), with_alternatives(words))
    notes += sentences(decisions)


def spoken(words: str, decisions: Counter[str]) -> str:
    """The one text that marked words are as a hypothesis; counts decisions by the keys of `DECISIONS`."""
    words, replaced = first_alternatives(words)
    decisions["alternations"] += replaced
    decisions["braces"] += words.count("{") + words.count("}")
    text: list[str] = []
    for word in words.split():
        if HESITATION.match(word):
            decisions["hesitations"] += 1
        elif word != "@":
            inner = word[1:-1] if len(word) > 2 and word[0] == "(" and word[-1] == ")" else word
            decisions["bracketed"] += inner != word
            text.append(inner)
    return " ".join(text)


def sentences(decisions: Counter[str]) -> list[str]:
    return [f"{decisions[kind]} {words}" for kind, words in DECISIONS.items() if decisions[kind]]


def with_alternatives(words: str) -> str:
    """Words of a reference in which `(uh)` may be missing, as with sclite's option -D; hesitations (%) are left out."""
    text = []
    for word in words.split():
        optional = len(word) > 2 and word[0] == "(" and word[-1] == ")"
        if not HESITATION.match(word):
            text.append(f"{{ {word[1:-1]} / @ }}" if optional else word)
    return " ".join(text)


def first_alternatives(words: str) -> tuple[str, int]:
    """The text with every alternation replaced by its first alternative, innermost first, and their number."""
    count = 0
    for _ in range(DEEPEST):
        words, replaced = ALTERNATION.subn(_first_alternative, words)
        if replaced == 0:
            break
        count += replaced
    return words, count


def _first_alternative(match: re.Match[str]) -> str:
    return f" {SLASH.split(match[1], maxsplit=1)[0]} "
