"""Writing style of texts (case, punctuation, digits), and rewriting a text in another style.

WER ignores style after normalisation. A model trained on labels in another style than its own learns the style: the
loss falls and the words do not improve.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from difflib import SequenceMatcher

from lora.records.labels import NumberStyle, StyleProfile

FINAL = (
    ".?!\N{HORIZONTAL ELLIPSIS}\N{IDEOGRAPHIC FULL STOP}\N{FULLWIDTH QUESTION MARK}\N{FULLWIDTH EXCLAMATION MARK}"
    "\N{DEVANAGARI DANDA}\N{ARABIC QUESTION MARK}\N{ARABIC FULL STOP}"
)
MAJORITY = 0.5
RARE = 0.1  # a case in which the model writes a smaller share of its texts is not its own
MAX_WORDS_OF_A_NUMBER = 6
# Texts with fewer marks per 100 words count as unpunctuated: one mark in a hundred words is an accident.
UNPUNCTUATED = 1.0


def style_profile(texts: Iterable[str]) -> StyleProfile:
    """Shares of texts with letters (case) or words (final mark), and marks per 100 words; zeros without texts."""
    written = [text.strip() for text in texts if text.strip()]
    cased = [text for text in written if text.upper() != text.lower()]
    words = sum(len(text.split()) for text in written)
    marks = Counter(min(_marks(text), 5) for text in written)
    return StyleProfile(
        cases=_counted(map(_case, written)),
        final_punctuation=_counted(text[-1] if text[-1] in FINAL else "" for text in written),
        punctuation={"5+" if number == 5 else str(number): marks[number] for number in sorted(marks)},
        texts=len(written),
        upper_case=_share(cased, lambda text: text == text.upper()),
        lower_case=_share(cased, lambda text: text == text.lower()),
        sentence_case=_share(cased, _is_sentence_case),
        with_final_punctuation=_share(written, lambda text: text[-1] in FINAL),
        punctuation_per_100_words=100 * sum(map(_marks, written)) / max(words, 1),
        digits_per_100_words=100 * sum(c.isdigit() for text in written for c in text) / max(words, 1),
    )


def restyle(text: str, style: StyleProfile) -> str:
    """`text` rewritten in `style`, without changing its words.

    Case changes where the style has one case, or where the text is in a case that is rare in the style.
    """
    text = text.strip()
    if style.punctuation_per_100_words < UNPUNCTUATED:
        text = _without_punctuation(text)
    elif style.with_final_punctuation > MAJORITY and text and not _is_mark(text[-1]):
        text += (
            max(style.final_punctuation, key=lambda m: (bool(m), style.final_punctuation[m], m == "."), default="")
            or "."
        )
    case = _case(text)
    if style.upper_case > MAJORITY:
        return text.upper()
    if style.lower_case > MAJORITY:
        return text.lower()
    if (case == "upper" and style.upper_case < RARE) or (case == "lower" and style.lower_case < RARE):
        return _in_sentence_case(text)
    return text


def with_numbers_as_in(text: str, own: str) -> str:
    """`text` with its numbers written as in `own`, the model's hypothesis of the same audio: in digits or words.

    The words are aligned. Where words that all contain digits are aligned with words without digits (or the reverse),
    those of `own` replace them. Words aligned with other words stay, because the hypothesis may be wrong.
    """
    words = text.split()
    own_words = own.split()
    matcher = SequenceMatcher(None, [_bare(w) for w in words], [_bare(w) for w in own_words], autojunk=False)
    result: list[str] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        result += own_words[k:m] if kind == "replace" and _same_number(words[i:j], own_words[k:m]) else words[i:j]
    return " ".join(result)


def number_style(references: Sequence[str], own: Sequence[str]) -> NumberStyle:
    """Count rows in which only the reference, only the hypothesis, or both have digits."""
    pairs = [(_has_digit(one), _has_digit(other)) for one, other in zip(references, own, strict=True)]
    return NumberStyle(
        rows=len(pairs),
        only_reference=pairs.count((True, False)),
        only_hypothesis=pairs.count((False, True)),
        both=pairs.count((True, True)),
    )


def _same_number(words: list[str], own_words: list[str]) -> bool:
    """Whether one side is a number in digits and the other one in words, without knowledge of the language."""
    if max(len(words), len(own_words)) > MAX_WORDS_OF_A_NUMBER:
        return False
    for digits, letters in ((words, own_words), (own_words, words)):
        if all(map(_is_number, digits)) and not any(map(_has_digit, letters)) and len(digits) <= len(letters):
            return True
    return False


def _is_number(word: str) -> bool:
    """Whether a word is mostly digits: `7`, `1,500`, `42nd`, `£3.50`, but not a code such as `x7b`."""
    letters = sum(character.isalnum() for character in word)
    return 2 * sum(character.isdigit() for character in word) >= max(letters, 1)


def _has_digit(text: str) -> bool:
    return any(character.isdigit() for character in text)


def _bare(word: str) -> str:
    return "".join(character for character in word.casefold() if not _is_mark(character))


def _counted(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kinds).items()))


def _case(text: str) -> str:
    if text.upper() == text.lower():
        return "none"
    if text == text.upper():
        return "upper"
    if text == text.lower():
        return "lower"
    return "sentence" if _is_sentence_case(text) else "other"


def _share(texts: list[str], condition: Callable[[str], bool]) -> float:
    return sum(map(condition, texts)) / len(texts) if texts else 0.0


def _is_sentence_case(text: str) -> bool:
    letters = [character for character in text if character.isalpha()]
    return letters[0].isupper() and any(character.islower() for character in letters)


def _in_sentence_case(text: str) -> str:
    """Lower case with a capital at the start and after each sentence end; names are not recognised."""
    lowered = re.sub(r"\bi\b(?='|\b)", "I", text.lower())
    return re.sub(rf"(^\W*|[{re.escape(FINAL)}]\s+)(\w)", lambda match: match[1] + match[2].upper(), lowered)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in "'\N{RIGHT SINGLE QUOTATION MARK}-"


def _marks(text: str) -> int:
    return sum(map(_is_mark, text))


def _without_punctuation(text: str) -> str:
    return " ".join("".join(" " if _is_mark(character) else character for character in text).split())
