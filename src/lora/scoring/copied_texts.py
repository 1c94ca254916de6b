"""Hypotheses that equal their reference to the character: references that were taken for hypotheses look like this."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lora.records.manifests import Utterance
from lora.records.scores import CopiedTexts
from lora.records.transcripts import Transcript

MIN_WORDS = 5  # of a reference; shorter ones are often recognised to the character
LONG_WORD = 10  # characters per word from which a text has no spaces between words
CHARACTERS_PER_WORD = 2  # of such a text


def copied_texts(rows: Iterable[Utterance], transcripts: Mapping[str, Transcript]) -> CopiedTexts:
    """Count equal texts among rows whose reference is long enough; white space at the ends does not count."""
    compared = [(row.text.strip(), transcripts[row.id].hypothesis.strip()) for row in rows]
    compared = [(reference, text) for reference, text in compared if _length(reference) >= MIN_WORDS]
    styled = [(reference, text) for reference, text in compared if is_styled(reference)]
    return CopiedTexts(
        rows=len(compared),
        words=sum(_length(reference) for reference, _ in compared),
        equal=sum(reference == text for reference, text in compared),
        styled=len(styled),
        equal_styled=sum(reference == text for reference, text in styled),
    )


def is_styled(text: str) -> bool:
    """Whether a text has capitals next to small letters, digits or marks, which models rarely write as a person did."""
    words = text.replace("'", "").split()
    mixed_case = text not in {text.lower(), text.upper()}
    return mixed_case or any(not word.isalpha() for word in words)


def _length(text: str) -> int:
    """Words of a text; half of its characters where it has no spaces between words."""
    words = text.split()
    characters = sum(map(len, words))
    return characters // CHARACTERS_PER_WORD if words and characters >= LONG_WORD * len(words) else len(words)
