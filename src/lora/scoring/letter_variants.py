"""Letters that one side never writes, and what the other side writes in their place.

References with `ё` and hypotheses with `е` in its place, vowel signs of Arabic on one side only, Persian non-joiners
that are spaces or nothing, Cyrillic against Latin letters, traditional against simplified characters: they are found
from the texts themselves, without a table of any language. A letter counts as one-sided only where the other side has
practically none, which misrecognition alone does not do to a letter of an alphabet.

Chinese characters are many and rare, so that a name that a model never gets right is one-sided too. Of them only the
traditional and the simplified ones count, where each side writes in one of the two; which is which, the character sets
Big5 and GB 2312 know.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from lora.scoring.alignment import ScoredPair
from lora.scoring.reachable_errors import region_texts, regions

SAMPLE = 20_000  # rows that are looked at
LEAST = 5  # times that a letter must occur to be one-sided
NEIGHBOURS = (
    3  # different pairs of neighbours that it must have: the letter of one word may be that word recognised wrongly
)
ACCIDENT = 0.02  # of these times, that the other side may have it
CONSISTENT = 0.5  # share of them that one counterpart must have; the rest is misrecognised


class Texts(NamedTuple):
    """A stretch of a reference and of its hypothesis that differ, words joined by spaces."""

    reference: str
    hypothesis: str


def letter_variants(scored: Sequence[ScoredPair]) -> dict[str, str]:
    """What each one-sided letter is on the other side, which may be nothing or several letters.

    Applied to both sides, it makes words equal that differ in such letters only.
    """
    sample = scored[:SAMPLE]
    different = [Texts(*region_texts(region)) for pair in sample for region in regions(pair.errors.edits)]
    in_references = Counter(letter for texts in different for letter in texts.reference)
    in_hypotheses = Counter(letter for texts in different for letter in texts.hypothesis)
    of_references = _one_sided(in_references, in_hypotheses)
    of_hypotheses = _one_sided(in_hypotheses, in_references)
    if not of_references and not of_hypotheses:
        return {}
    right = Counter(letter for pair in sample for word in pair.reference_words for letter in word)
    right.subtract(in_references)
    for side, letters in enumerate((of_references, of_hypotheses)):
        neighbours = _neighbours([texts[side] for texts in different], letters)
        for letter, times in list(letters.items()):
            in_one_word = neighbours[letter] < NEIGHBOURS and not _is_chinese(letter)
            if in_one_word or right[letter] > ACCIDENT * times:
                del letters[letter]
    variants: dict[str, str] = {}
    # Where lengths are equal, letters correspond by their places; what is left may be nothing or several letters.
    for equal_lengths in (True, False):
        table = str.maketrans(variants)
        pairs = [Texts(*(text.translate(table) for text in texts)) for texts in different]
        pairs = [texts for texts in pairs if not equal_lengths or len(texts.reference) == len(texts.hypothesis)]
        variants |= _counterparts(pairs, of_references, 0, variants)
        variants |= _counterparts(pairs, of_hypotheses, 1, variants)
    return variants


def _neighbours(texts: Sequence[str], letters: Mapping[str, int]) -> Counter[str]:
    """Number of different pairs of neighbours that each of these letters has."""
    seen = {
        (letter, text[max(at - 1, 0) : at], text[at + 1 : at + 2])
        for text in texts
        if not letters.keys().isdisjoint(text)
        for at, letter in enumerate(text)
        if letter in letters
    }
    return Counter(letter for letter, _, _ in seen)


def _one_sided(own: Counter[str], other: Counter[str]) -> dict[str, int]:
    """Letters that only one side writes, and how often."""
    found = {
        letter: times
        for letter, times in own.items()
        if times >= LEAST and other[letter] <= ACCIDENT * times and _may_be_replaced(letter)
    }
    scripts = _chinese_script(own), _chinese_script(other)
    if set(scripts) == {"big5", "gb2312"}:
        found |= {letter: times for letter, times in own.items() if _character_set(letter) == scripts[0]}
    return found


def _may_be_replaced(letter: str) -> bool:
    """Not a to z and 0 to 9, which every tokenizer has: what is written for them is a wrong word."""
    return letter != " " and not (letter.isascii() and letter.isalnum()) and not _is_chinese(letter)


def _chinese_script(letters: Mapping[str, int]) -> str | None:
    """The character set of nearly all characters that are only in one; None where there are few or both."""
    counts = Counter[str]()
    for letter, times in letters.items():
        if name := _character_set(letter):
            counts[name] += times
    name, most = max(counts.items(), key=lambda item: item[1], default=("", 0))
    return name if most >= LEAST and counts.total() - most <= ACCIDENT * most else None


def _is_chinese(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("CJK")


@lru_cache(maxsize=32768)
def _character_set(letter: str) -> str | None:
    """`big5` of a traditional character, `gb2312` of a simplified one; None for a letter of both or of neither."""
    sets = [name for name in ("big5", "gb2312") if _is_chinese(letter) and letter.encode(name, "ignore")]
    return sets[0] if len(sets) == 1 else None


def _counterparts(
    pairs: Sequence[Texts], letters: Mapping[str, int], side: int, known: Mapping[str, str]
) -> dict[str, str]:
    """The counterpart of each of the letters of a side that has a consistent one."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    taken = set("".join(known.values()))
    for texts in pairs:
        own, other = texts[side], texts[1 - side]
        if not letters.keys().isdisjoint(own):
            for letter, counterpart in _differences(own, other):
                if letter in letters and letter not in known and letter not in taken:
                    seen[letter][counterpart] += 1
    best = {letter: counts.most_common(1)[0] for letter, counts in seen.items()}
    return {letter: text for letter, (text, times) in best.items() if times >= CONSISTENT * letters[letter]}


def _differences(own: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield each letter of a text that differs with what the other text has in its place."""
    if len(own) == len(other):
        yield from ((a, b) for a, b in zip(own, other, strict=True) if a != b)
        return
    for letters, counterparts in _between_equal_letters(own, other):
        if not counterparts:
            yield from ((letter, "") for letter in letters)
        elif len(letters) == 1:
            yield letters, counterparts
        elif len(letters) == len(counterparts):
            yield from zip(letters, counterparts, strict=True)


def _between_equal_letters(own: str, other: str) -> Iterator[tuple[str, str]]:
    """Yield what two texts have between the letters that they share."""
    for equal, group in groupby(Levenshtein.opcodes(own, other), key=lambda code: code.tag == "equal"):
        first, *rest = group
        last = rest[-1] if rest else first
        if not equal:
            yield own[first.src_start : last.src_end], other[first.dest_start : last.dest_end]
