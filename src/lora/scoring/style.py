"""How texts are written (case, punctuation, digits), and rewriting a text in another style. Torch-free.

Style is not what WER counts after normalisation, but a model trained on labels of another style than its own spends its
training on the style: the loss falls convincingly and the words do not move.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

from lora.records import StyleProfile

FINAL = ".?!\N{HORIZONTAL ELLIPSIS}\N{IDEOGRAPHIC FULL STOP}\N{DEVANAGARI DANDA}"
MAJORITY = 0.5
# Texts with fewer marks a hundred words are written without punctuation: one in a hundred words is an accident.
UNPUNCTUATED = 1.0


def style_profile(texts: Iterable[str]) -> StyleProfile:
    """Shares over texts that hold letters (case) or words (final mark), and marks per 100 words; zeros for no text."""
    written = [text.strip() for text in texts if text.strip()]
    cased = [text for text in written if text.upper() != text.lower()]
    words = sum(len(text.split()) for text in written)
    return StyleProfile(
        texts=len(written),
        upper_case=_share(cased, lambda text: text == text.upper()),
        lower_case=_share(cased, lambda text: text == text.lower()),
        sentence_case=_share(cased, _is_sentence_case),
        with_final_punctuation=_share(written, lambda text: text[-1] in FINAL),
        punctuation_per_100_words=100 * sum(map(_marks, written)) / max(words, 1),
        digits_per_100_words=100 * sum(c.isdigit() for text in written for c in text) / max(words, 1),
    )


def restyled(text: str, own: StyleProfile, style: StyleProfile) -> str:
    """`text`, of texts with the profile `own`, rewritten in `style`: only where the two differ, and never its words.

    Numbers stay as they are: writing them out would change words.
    """
    text = text.strip()
    if style.punctuation_per_100_words < UNPUNCTUATED:
        text = _without_punctuation(text)
    elif style.with_final_punctuation > MAJORITY and text and not _is_mark(text[-1]):
        text += "."
    if style.upper_case > MAJORITY:
        return text.upper()
    if style.lower_case > MAJORITY:
        return text.lower()
    if own.upper_case > MAJORITY or own.lower_case > MAJORITY:
        return _in_sentence_case(text)
    return text


def _share(texts: list[str], holds: Callable[[str], bool]) -> float:
    return sum(map(holds, texts)) / len(texts) if texts else 0.0


def _is_sentence_case(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return letters[0].isupper() and any(character.islower() for character in letters)


def _in_sentence_case(text: str) -> str:
    """Lower case with a capital at the start and behind each sentence end; names cannot be known."""
    lowered = re.sub(r"\bi\b(?='|\b)", "I", text.lower())
    return re.sub(rf"(^\W*|[{re.escape(FINAL)}]\s+)(\w)", lambda found: found[1] + found[2].upper(), lowered)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in "'\N{RIGHT SINGLE QUOTATION MARK}-"


def _marks(text: str) -> int:
    return sum(map(_is_mark, text))


def _without_punctuation(text: str) -> str:
    return " ".join("".join(" " if _is_mark(character) else character for character in text).split())
