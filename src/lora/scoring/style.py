"""How texts are written (case, punctuation, digits), and rewriting a text in another style. Torch-free.

Style is not what WER counts after normalisation, but a model trained on labels of another style than its own spends its
training on the style: the loss falls convincingly and the words do not move.
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
RARE = 0.1  # a case in which the model writes fewer of its texts is not its own
MOST_WORDS_OF_A_NUMBER = 6
# Texts with fewer marks a hundred words are written without punctuation: one in a hundred words is an accident.
UNPUNCTUATED = 1.0


def style_profile(texts: Iterable[str]) -> StyleProfile:
    """Shares over texts that hold letters (case) or words (final mark), and marks per 100 words; zeros for no text."""
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
    """`text` rewritten in `style`: only where it is written otherwise, and never its words.

    Case changes where the style knows one case, or where a text is in a case in which the style writes hardly any.
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
    """`text` with its numbers written as in `own`, the model's text of the same audio: digits or words.

    Words are aligned; where words that all hold digits stand against words without any (or the reverse), those of `own`
    are taken. What stands against other words stays: it may have been heard wrongly.
    """
    words, said = text.split(), own.split()
    matcher = SequenceMatcher(None, [_bare(w) for w in words], [_bare(w) for w in said], autojunk=False)
    result: list[str] = []
    for kind, i, j, k, m in matcher.get_opcodes():
        result += said[k:m] if kind == "replace" and _same_number(words[i:j], said[k:m]) else words[i:j]
    return " ".join(result)


def number_style(references: Sequence[str], own: Sequence[str]) -> NumberStyle:
    """Rows by whose text writes numbers in digits, where the other has no digit."""
    pairs = [(_has_digit(one), _has_digit(other)) for one, other in zip(references, own, strict=True)]
    return NumberStyle(
        rows=len(pairs),
        only_reference=pairs.count((True, False)),
        only_hypothesis=pairs.count((False, True)),
        both=pairs.count((True, True)),
    )


def _same_number(words: list[str], said: list[str]) -> bool:
    """One side in digits, the other in words, as far as can be seen without knowing the language."""
    if max(len(words), len(said)) > MOST_WORDS_OF_A_NUMBER:
        return False
    for digits, letters in ((words, said), (said, words)):
        if all(map(_is_number, digits)) and not any(map(_has_digit, letters)) and len(digits) <= len(letters):
            return True
    return False


def _is_number(word: str) -> bool:
    """Mostly digits: `7`, `1,500`, `42nd`, `£3.50`, but not a code such as `x7b`."""
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
