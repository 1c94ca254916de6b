"""sclite's trn: `words (id)` a line, `;;` comments, `{a / b}` alternations, `(%hesitation)` and the like.

A hypothesis is one text: of alternations the first is taken (`@` is no word), hesitations marked with `%` are no words,
other words in brackets keep their word. What was decided so is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lora.records.base import UserError

ID = re.compile(r"\(([^()\s]+)\)\s*$")
ALTERNATION = re.compile(r"\{([^{}]*)\}")
HESITATION = re.compile(r"^\(?%[^\s()]*\)?$")


class Line(NamedTuple):
    number: int
    id: str
    words: str


def read_lines(path: Path, lines: Iterator[tuple[int, str]], notes: list[str]) -> Iterator[Line]:
    """Adds to `notes` what was decided. Raises UserError naming a line without an id, or with a lone brace."""
    alternations = hesitations = bracketed = 0
    for number, line in lines:
        if not line.strip() or line.lstrip().startswith(";;"):
            continue
        found = ID.search(line)
        if found is None:
            raise UserError(f"{path}:{number}: no id in brackets at the end: {line.strip()!r:.80}")
        words, chosen = first_alternatives(line[: found.start()])
        if "{" in words or "}" in words:
            raise UserError(f"{path}:{number}: a brace without its partner: {line.strip()!r:.80}")
        alternations += chosen
        kept = []
        for word in words.split():
            if HESITATION.match(word):
                hesitations += 1
            elif word != "@":
                inner = word[1:-1] if len(word) > 2 and word[0] == "(" and word[-1] == ")" else word
                bracketed += inner != word
                kept.append(inner)
        yield Line(number, found[1], " ".join(kept))
    decided = {
        f"of {alternations} alternations {{a / b}} the first was taken": alternations,
        f"{hesitations} hesitations marked with % are no words": hesitations,
        f"{bracketed} words in brackets count as words": bracketed,
    }
    notes += [words for words, count in decided.items() if count]


def first_alternatives(words: str) -> tuple[str, int]:
    """The text with the first of every alternation, innermost first, and how many there were."""
    count = 0
    while (found := ALTERNATION.search(words)) is not None:
        first = re.split(r"\s/\s|^/\s|\s/$", found[1])[0]
        words = f"{words[: found.start()]} {first} {words[found.end() :]}"
        count += 1
    return words, count
