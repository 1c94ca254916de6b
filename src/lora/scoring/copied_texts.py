"""Hypotheses that equal their reference to the character: references that were taken for hypotheses look like this."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from lora.records.scores import CopiedTexts

MIN_WORDS = 5  # of a reference; shorter ones are often recognised to the character
LONG_WORD = 10  # characters per word from which a text has no spaces between words
CHARACTERS_PER_WORD = 2  # of such a text


def copied_texts(texts: Iterable[tuple[str, str]]) -> CopiedTexts:
    """Count equal texts among pairs of a reference and a hypothesis, as written, whose reference is long enough.

    How words are separated does not count: references were read with single spaces.
    """
    rows = words = equal = styled = equal_styled = 0
    for reference, hypothesis in texts:
        written = reference.split()
        characters = "".join(written)
        length = _length(len(written), len(characters))
        if length >= MIN_WORDS:
            copied = reference == hypothesis or written == hypothesis.split()
            has_style = is_styled(characters)
            rows += 1
            words += length
            equal += copied
            styled += has_style
            equal_styled += copied and has_style
    return CopiedTexts(rows=rows, words=words, equal=equal, styled=styled, equal_styled=equal_styled)


def is_styled(text: str) -> bool:
    """Whether a text has capitals next to small letters, digits or marks, which models rarely write as a person did."""
    if text != text.lower() and text != text.upper():
        return True
    words = text.replace("'", "")
    return not words.isalpha() and any(unicodedata.category(character)[0] in "NPS" for character in words)


def _length(words: int, characters: int) -> int:
    """Words of a text; half of its characters where it has no spaces between words."""
    return characters // CHARACTERS_PER_WORD if words and characters >= LONG_WORD * words else words
