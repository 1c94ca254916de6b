"""Alternations `{ a / b }` in references, as NIST sclite (SCTK) scores them.

The alternative that costs least counts, with sclite's costs of 4 for a substitution and 3 for an insertion or deletion;
`@` is no word. A few alternatives are compared as whole texts, as a normaliser may join words across their border
(`twenty { five / six }`); many are compared by the words of each, in one alignment of all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

DEEPEST = 20  # alternations within each other; what is deeper is text
MOST_TEXTS = 64  # that are compared as wholes for one reference
MOST_CHARACTERS = 200_000  # of all these texts: a third of a second for the English normaliser
# Words of all alternatives times words of the hypothesis; of a reference with more, the first alternatives count. An
# hour of speech needs 80 million.
MOST_CELLS = 200_000_000
CELLS_OF_A_PART = 20  # for each word of the hypothesis, beyond its words: the memory of its choices
INSERTION, DELETION, SUBSTITUTION = 3, 3, 4
# The lookahead for the closing brace keeps the search linear in a text that has none.
ALTERNATION = re.compile(r"\{(?=[^{}]*\})([^{}]*(?:\s/\s|^/\s|\s/$)[^{}]*)\}")
MARK = re.compile("\0(\\d+)\0")  # of an alternation, with its number

Words = Callable[[str], tuple[str, ...]]
Costs = NDArray[np.int64]


def first_alternative(text: str) -> str:
    """The text with every alternation replaced by its first alternative, innermost first."""
    if "{" not in text:
        return text
    for _ in range(DEEPEST):
        text, replaced = ALTERNATION.subn(lambda match: f" {_alternatives(match)[0]} ", text)
        if replaced == 0:
            break
    return text


def cheapest_reference(text: str, words: Words, hypothesis: Sequence[str]) -> str:
    """The reference with the alternatives that cost least against a hypothesis; of equal ones, the first.

    Args:
        text: reference, with alternations or without.
        words: splits a text without alternations into words.
        hypothesis: words of the hypothesis.
    """
    marked, alternatives = _marked(text)
    if not alternatives:
        return text
    texts = _every_text(marked, alternatives)
    if texts is not None:
        return min(texts, key=lambda one: _cost(words(one), hypothesis))
    parts = []
    for number, part in enumerate(MARK.split(marked)):  # text, number of an alternation, text, ...
        parts.append([part] if number % 2 == 0 else _choices(alternatives[int(part)], alternatives))
    path = cheapest_path([[words(choice) for choice in part] for part in parts], hypothesis)
    return " ".join(part[choice] for part, choice in zip(parts, path, strict=True))


def _marked(text: str) -> tuple[str, list[list[str]]]:
    """The text with a mark for each alternation, and the alternatives of each, with marks for those within."""
    alternatives: list[list[str]] = []

    def mark(match: re.Match[str]) -> str:
        alternatives.append(_alternatives(match))
        return f"\0{len(alternatives) - 1}\0"

    text = text.replace("\0", " ")
    for _ in range(DEEPEST):
        text, replaced = ALTERNATION.subn(mark, text)
        if replaced == 0:
            break
    return text, alternatives


def _alternatives(match: re.Match[str]) -> list[str]:
    parts = [part.strip() for part in re.split(r"\s/\s|^/\s|\s/$", match[1])]
    return ["" if part == "@" else part for part in parts]


def _every_text(marked: str, alternatives: Sequence[Sequence[str]]) -> list[str] | None:
    """The texts of all choices in a text with marks, None where they are too many."""
    texts = []
    pending = [marked]
    while pending:
        one = pending.pop()
        match = MARK.search(one)
        if match is None:
            texts.append(one)
            continue
        for alternative in reversed(alternatives[int(match[1])]):
            pending.append(f"{one[: match.start()]} {alternative} {one[match.end() :]}")
        number = len(texts) + len(pending)
        if number > MOST_TEXTS or number * len(one) > MOST_CHARACTERS:
            return None
    return texts


def _choices(choices: Sequence[str], alternatives: Sequence[Sequence[str]]) -> list[str]:
    """The texts of an alternation; where one has too many alternations within it, the first of these."""
    found = []
    for choice in choices:
        texts = _every_text(choice, alternatives)
        while texts is None:
            choice = MARK.sub(lambda match: f" {alternatives[int(match[1])][0]} ", choice)
            texts = _every_text(choice, alternatives)
        found += texts
    return found


def _cost(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    return Levenshtein.distance(reference, hypothesis, weights=(INSERTION, DELETION, SUBSTITUTION))


def cheapest_path(parts: Sequence[Sequence[Sequence[str]]], hypothesis: Sequence[str]) -> list[int]:
    """The choice in each part that costs least in an alignment of all parts, one after the other, with a hypothesis.

    The costs of paths stand by the number of words of the hypothesis that they have aligned. Below its cost, in the
    same number, each path carries where it entered the part, so that the least number is that of the cheapest path.

    Args:
        parts: words of the choices of each part.
        hypothesis: words.

    Returns:
        For each part the index of its choice; of equal ones the first, and of all the first beyond `MOST_CELLS`.
    """
    places = np.arange(len(hypothesis) + 1)
    scale = len(places)
    if scale * sum(CELLS_OF_A_PART + sum(map(len, choices)) for choices in parts) > MOST_CELLS:
        return [0] * len(parts)
    numbers = {word: number for number, word in enumerate(set(hypothesis))}
    spoken = np.array([numbers[word] for word in hypothesis])
    inserted = places * INSERTION * scale

    def align(costs: Costs, words: Sequence[str]) -> Costs:
        for word in words:
            substituted = costs[:-1] + np.where(spoken == numbers.get(word, -1), 0, SUBSTITUTION * scale)
            costs = costs + DELETION * scale
            np.minimum(costs[1:], substituted, out=costs[1:])
            costs = np.minimum.accumulate(costs - inserted) + inserted
        return costs

    costs = inserted
    chosen, entered = [], []
    for choices in parts:
        entries = costs - costs % scale + places
        choice = np.zeros(scale, np.int32)
        costs = align(entries, choices[0])
        for number, words in enumerate(choices[1:], 1):
            exits = align(entries, words)
            cheaper = exits // scale < costs // scale
            choice[cheaper] = number
            costs = np.where(cheaper, exits, costs)
        chosen.append(choice)
        entered.append((costs % scale).astype(np.int32))
    place = len(hypothesis)
    path = []
    for choice, entry in zip(reversed(chosen), reversed(entered), strict=True):
        path.append(int(choice[place]))
        place = entry[place]
    return path[::-1]
