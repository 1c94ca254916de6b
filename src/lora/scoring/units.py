"""Units that an error rate counts: words, or characters in scripts that write no spaces between words.

`auto` splits a text at white space and then every character of a script without spaces (Chinese, Japanese, Thai, Lao,
Khmer, Burmese, Tibetan) into a token of its own. Texts in such a script are then judged by their characters (CER),
texts in all others by their words (WER), and code-switched texts by both at once: the mixed error rate (MER) of the
SEAME corpus (Lyu et al. 2010, Interspeech). Combining marks, such as the vowel and tone signs of Thai, belong to the
character before them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from lora.records.scores import Unit, UnitSetting

# Blocks of scripts without spaces between words; Korean, Arabic, Hebrew and the scripts of India write spaces.
BLOCKS = (
    (0x0E00, 0x0E7F),  # Thai
    (0x0E80, 0x0EFF),  # Lao
    (0x0F00, 0x0FFF),  # Tibetan
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x2E80, 0x2FDF),  # radicals of Chinese characters
    (0x3005, 0x3007),  # iteration mark, ideographic zero
    (0x3040, 0x30FF),  # Hiragana, Katakana
    (0x3100, 0x312F),  # Bopomofo
    (0x31F0, 0x31FF),  # Katakana extensions
    (0x3400, 0x4DBF),  # Chinese characters
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFF66, 0xFF9D),  # half-width Katakana
    (0x20000, 0x323AF),  # rare Chinese characters
)
WITHOUT_SPACES = re.compile("[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in BLOCKS) + "]")
NO_SPACE = re.compile(f"(?<={WITHOUT_SPACES.pattern}) | (?={WITHOUT_SPACES.pattern})")
MOSTLY = 0.9  # share of tokens from which on a set counts as one unit; below, at either end, it is mixed
UNITS: tuple[UnitSetting, ...] = ("auto", "words", "characters")


def tokens(words: Sequence[str], unit: UnitSetting) -> list[str]:
    """Split the words of a normalised text into the tokens that are counted."""
    if unit == "characters":
        return [character for word in words for character in _characters(word)]
    if unit == "auto" and any(map(WITHOUT_SPACES.search, words)):
        return [token for word in words for token in _mixed(word)]
    return list(words)


def counted_characters(normal: str, unit: UnitSetting) -> str:
    """A normalised text without the spaces next to characters of scripts that write none.

    Whether a tool writes such spaces is no matter of recognition, and they are not counted as words either.
    """
    return normal if normal.isascii() or unit == "words" else NO_SPACE.sub("", normal)


def counted_unit(references: Iterable[Sequence[str]], unit: UnitSetting) -> Unit:
    """What the tokens of a set of references are: words, characters, or a mixture (of `auto` only)."""
    if unit != "auto":
        return unit
    total = characters = 0
    for reference in references:
        total += len(reference)
        if not "".join(reference).isascii():
            characters += sum(WITHOUT_SPACES.match(token) is not None for token in reference)
    if characters > MOSTLY * total:
        return "characters"
    return "words" if characters <= (1 - MOSTLY) * total else "mixed"


def _characters(word: str) -> list[str]:
    """Characters with the combining marks that follow them."""
    found: list[str] = []
    for character in word:
        if found and unicodedata.category(character).startswith("M"):
            found[-1] += character
        else:
            found.append(character)
    return found


def _mixed(word: str) -> list[str]:
    """Characters of scripts without spaces one by one, runs of all others as words."""
    found: list[str] = []
    in_word = False
    for character in _characters(word):
        alone = WITHOUT_SPACES.match(character) is not None
        if in_word and not alone:
            found[-1] += character
        else:
            found.append(character)
        in_word = not alone
    return found
