"""Invisible and look-alike characters: which a text contains, and the same text without them where the language allows.

Invisible characters (Unicode category Cf, variation selectors, the combining grapheme joiner) come from web pages and
word processors. Some belong to a script: a joiner or non-joiner after a letter of a script that joins (Arabic, Indic),
and U+200B as the word boundary of scripts without spaces (Thai, Lao, Burmese, Khmer). Look-alikes are letters of
another script in a word, which keyboards, text recognition and copied texts leave behind. Only the letters that look
the same in both scripts are replaced (Unicode Technical Standard 39, confusables), so product names and suffixes that
really mix scripts stay as they are.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import lru_cache

from lora.records.manifests import OddCharacter, Utterance

LATIN_LOOKALIKES = {
    "CYRILLIC": dict(zip("АВЕЅІЈКМНОРСТУХаеѕіјорсухԁһԛԝ", "ABESIJKMHOPCTYXaesijopcyxdhqw", strict=True)),
    "GREEK": dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοϳ", "ABEZHIKMNOPTYXoj", strict=True)),
}
TO_LATIN = {key: value for table in LATIN_LOOKALIKES.values() for key, value in table.items()}
FROM_LATIN = {script: {latin: other for other, latin in table.items()} for script, table in LATIN_LOOKALIKES.items()}
ZERO_WIDTH_SPACE = "\u200b"
JOINERS = "\u200c\u200d"
DIRECTION_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
GRAPHEME_JOINER = "\u034f"
VARIATION_SELECTORS = range(0xFE00, 0xFE10)
# Scripts written without spaces in which U+200B separates words.
WITHOUT_SPACES = ("THAI", "LAO", "MYANMAR", "KHMER")
# Format characters that are part of written numbers and words (Arabic and Syriac signs, Kaithi, Egyptian).
WRITTEN = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd\U000110cd")
MOST_LINES = 10  # that a fact names per character
WORD = re.compile(r"[^\W\d_]+")


def odd_positions(text: str) -> list[int]:
    """Positions of the invisible and look-alike characters that somebody should know of.

    Joiners and selectors in emoji and direction marks in texts written from right to left are left out.
    """
    if text.isascii():
        return []
    right_to_left = any(c.isalpha() and unicodedata.bidirectional(c) in {"R", "AL"} for c in text)
    hidden = [
        at for at in _invisible(text) if not (_in_emoji(text, at) or (right_to_left and text[at] in DIRECTION_MARKS))
    ]
    return sorted([*hidden, *_replacements(text)])


def visible(text: str) -> str:
    """The text with its odd invisible characters written out: `[U+200B ZERO WIDTH SPACE]`."""
    hidden = {at for at in odd_positions(text) if _is_invisible(text[at])}
    return "".join(f"[{_written(c)}]" if at in hidden else c for at, c in enumerate(text)) if hidden else text


def _written(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".strip()


class OddCharacters:
    """Counts invisible and look-alike characters in the texts of a manifest.

    Attributes:
        rows: number of rows whose text contains one.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._lines: defaultdict[str, list[int]] = defaultdict(list)
        self._number: Counter[str] = Counter()

    def add(self, row: Utterance) -> None:
        if row.text.isascii():
            return
        found = {row.text[at] for at in odd_positions(row.text)}
        self.rows += bool(found)
        for character in found:
            self._number[character] += 1
            if row.line is not None and len(self._lines[character]) < MOST_LINES:
                self._lines[character].append(row.line)

    def most_frequent_first(self) -> list[OddCharacter]:
        return [
            OddCharacter(
                code_point=f"U+{ord(character):04X}",
                name=unicodedata.name(character, "unnamed"),
                kind="invisible" if _is_invisible(character) else "look_alike",
                rows=count,
                lines=self._lines[character],
            )
            for character, count in sorted(self._number.items(), key=lambda item: (-item[1], item[0]))
        ]


def resolved(text: str) -> str:
    """The text without invisible characters, and with look-alikes in the script of their word."""
    if text.isascii():
        return text
    replacements = _replacements(text)
    hidden = set(_invisible(text))
    kept = (" " if _separates(text, at) else replacements.get(at, c) for at, c in enumerate(text) if at not in hidden)
    return "".join(kept)


def _invisible(text: str) -> list[int]:
    """Positions of the invisible characters of a text that its script does not need."""
    return [at for at, character in enumerate(text) if _is_invisible(character) and not _belongs(text, at)]


def _in_emoji(text: str, at: int) -> bool:
    joins = text[at] in JOINERS or ord(text[at]) in VARIATION_SELECTORS
    return joins and unicodedata.category(text[at - 1]) in {"So", "Sk", "Cf", "Mn"} if at else False


def _is_invisible(character: str) -> bool:
    if character < "\u00ad":
        return False
    hidden = unicodedata.category(character) == "Cf" and character not in WRITTEN
    return hidden or character == GRAPHEME_JOINER or ord(character) in VARIATION_SELECTORS


def _belongs(text: str, at: int) -> bool:
    """Whether the script before an invisible character needs it, or the character separates words there."""
    character = text[at]
    if character in JOINERS:
        return _script(text[at - 1 : at]) not in {"LATIN", "GREEK", "CYRILLIC", ""}
    return _separates(text, at)


def _separates(text: str, at: int) -> bool:
    if text[at] != ZERO_WIDTH_SPACE:
        return False
    return any(_script(neighbour) in WITHOUT_SPACES for neighbour in (text[at - 1 : at], text[at + 1 : at + 2]))


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    """The first word of the name of a letter or mark, which is its script; empty for all other characters."""
    if not character or unicodedata.category(character)[0] not in "LM":
        return ""
    name = unicodedata.name(character, "").split(" ", 1)[0]
    return "" if name == "COMBINING" else name


def _replacements(text: str) -> dict[int, str]:
    """Replacement of each look-alike by position: within words of mixed scripts, then in texts that are Latin."""
    replaced: dict[int, str] = {}
    letters = [(at, c) for at, c in enumerate(text) if c.isalpha()]
    if all(c.isascii() for _, c in letters):
        return replaced
    latin = sum(_script(c) == "LATIN" for _, c in letters)
    for word in WORD.finditer(text):
        characters = [(at, text[at]) for at in range(*word.span())]
        if 2 * latin > len(letters) or not _latin_with_ending(word.group()):
            replaced |= _in_word(characters)
    others = [(at, c) for at, c in letters if _script(c) in LATIN_LOOKALIKES]
    if others and len(others) < latin / 2 and all(c in TO_LATIN for _, c in others):
        replaced |= {at: TO_LATIN[c] for at, c in others}
    return replaced


def _latin_with_ending(word: str) -> bool:
    """Whether a Latin name has an ending in another script, as inflected names have in Cyrillic and Greek texts."""
    scripts = [_script(c) for c in word]
    stem = next((at for at, script in enumerate(scripts) if script != "LATIN"), 0)
    return stem > 1 and "LATIN" not in scripts[stem:]


def _in_word(word: Sequence[tuple[int, str]]) -> dict[int, str]:
    """Replacements in a word that mixes Latin with one other script, towards the script of most of its letters."""
    scripts = [_script(c) for _, c in word]
    others = {script for script in scripts if script in LATIN_LOOKALIKES}
    if "LATIN" not in scripts or len(others) != 1:
        return {}
    (other,) = others
    latin = scripts.count("LATIN")
    rest = scripts.count(other)
    to_latin = LATIN_LOOKALIKES[other]
    to_other = FROM_LATIN[other]
    foreign = [(at, c) for (at, c), script in zip(word, scripts, strict=True) if script == other]
    native = [(at, c) for (at, c), script in zip(word, scripts, strict=True) if script == "LATIN"]
    if latin >= rest and all(c in to_latin for _, c in foreign):
        return {at: to_latin[c] for at, c in foreign}
    if rest >= latin and all(c in to_other for _, c in native):
        return {at: to_other[c] for at, c in native}
    return {}
