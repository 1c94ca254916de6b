"""Text normalisers, which decide what counts as the same word. Name, version and unit are recorded with scores.

- `none`: words as written, split at white space.
- `basic`: this project's own, for any language: Unicode NFKC, invisible and look-alike characters as the language
  allows (`lora.scoring.odd_characters`), case folding, punctuation and symbols become spaces except apostrophes between
  letters or digits.
- `english`: the normaliser of the Whisper paper (Radford et al. 2022, appendix C) as packaged in
  `whisper-normalizer`; it also writes numbers as digits, expands contractions, spells in American English and
  drops fillers. Invisible and look-alike characters are resolved before it, as in `basic`. A text with a number of
  more than 4,300 digits, which Python does not calculate with, is normalised as by `basic`.
- `english_digits`: `english`, then every digit is a word of its own. `english` makes one word of "three one six" and
  three of "3, 1, 6"; digit by digit they are the same words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version

from lora.records.base import UserError
from lora.records.scores import NormalizerIdentity, UnitSetting
from lora.scoring.alternations import cheapest_reference, first_alternative
from lora.scoring.markup import strip_markup
from lora.scoring.odd_characters import resolved
from lora.scoring.units import counted_characters, tokens

ENGLISH_PACKAGE = "whisper-normalizer"
BASIC_VERSION = "2"
NAMES = ("english", "english_digits", "basic", "none")
APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}\N{MODIFIER LETTER APOSTROPHE}"
DIGIT = re.compile(r"\d")
ONE = re.compile(r"\bone\b")
BRACKETS = (("<[", ">]"), ("(", ")"))
LONE_APOSTROPHE = re.compile(r"(?<!\w)'|'(?!\w)")


class Normalizer:
    """Normalises texts and splits them into tokens.

    Markup of the kinds in `strip` is removed first. Of sclite's alternations `{ a / b }` the first counts, in a
    reference the one that costs least.
    """

    def __init__(
        self, name: str, version: str, text: Callable[[str], str] | None, unit: UnitSetting, strip: Sequence[str]
    ) -> None:
        self.identity = NormalizerIdentity(name=name, version=version, unit=unit, strip=list(strip))
        self._text = text
        self._unit = unit
        self._strip = list(strip)
        self._same = _SameObjects().__getitem__

    def normalized(self, text: str) -> tuple[tuple[str, ...], str]:
        """The result of `words`, and the normalised text whose characters a CER counts, with single spaces."""
        words = self._normal(text).split()
        normal = " ".join(words)
        return self._tokens(words, normal), counted_characters(normal, self._unit)

    def words(self, text: str) -> tuple[str, ...]:
        """The tokens that an error rate counts: words, or characters (`lora.scoring.units`)."""
        normal = self._normal(text)
        return self._tokens(normal.split(), normal)

    def _normal(self, text: str) -> str:
        spoken = first_alternative(text)
        if self._strip:
            spoken = strip_markup(spoken, self._strip)
        return self._changed(spoken)

    def _changed(self, text: str) -> str:
        return text if self._text is None else self._text(text)

    def _tokens(self, words: list[str], normal: str) -> tuple[str, ...]:
        """The tokens of the words of a normalised text."""
        whole = self._unit == "words" or (self._unit == "auto" and normal.isascii())
        return tuple(map(self._same, words if whole else tokens(words, self._unit)))

    def followed_by(self, change: Callable[[str], str]) -> Normalizer:
        """The same normaliser, whose normalised texts are changed before they are split."""
        name, version = self.identity.name, self.identity.version
        return Normalizer(name, version, lambda text: change(self._changed(text)), self._unit, self._strip)

    def reference(self, text: str, hypothesis: Sequence[str]) -> str:
        """A reference with the alternatives that are nearest to the tokens of a hypothesis."""
        return text if "{" not in text else cheapest_reference(text, self.words, hypothesis)


def normalizer(name: str, unit: UnitSetting = "auto", strip: Sequence[str] = ()) -> Normalizer:
    """A normaliser by name; `strip` are kinds of markup that it removes (`lora.scoring.markup.REMOVABLE`).

    Raises UserError for an unknown name, or when the package of `english` is not installed.
    """
    if name == "none":
        return Normalizer(name, "1", None, unit, strip)
    if name == "basic":
        return Normalizer(name, f"{BASIC_VERSION}; Unicode {unicodedata.unidata_version}", basic, unit, strip)
    if name not in {"english", "english_digits"}:
        raise UserError(f"normalizer: {name!r} is unknown; choose one of {', '.join(NAMES)}")
    english = _english()
    release = f"{ENGLISH_PACKAGE} {version(ENGLISH_PACKAGE)}; 2"
    if name == "english":
        return Normalizer(name, release, english, unit, strip)
    return Normalizer(name, f"{release}; digits 1", lambda text: digit_by_digit(english(text)), unit, strip)


@cache
def _english() -> Callable[[str], str]:
    """The English normaliser, whose results all normalisers share: it takes 0.3 ms a text."""
    try:
        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError:
        raise UserError(f"normalizer: english needs the package {ENGLISH_PACKAGE}; install it") from None
    english = EnglishTextNormalizer()

    @cache
    def normalized(text: str) -> str:
        try:
            return str(english(_quickly_searched(resolved(text))))
        except (AssertionError, ValueError):  # sys.get_int_max_str_digits()
            return basic(text)

    return normalized


def _quickly_searched(text: str) -> str:
    """A text in which the expressions of the English normaliser need linear time.

    They search every run of white space and every bracket without an end again from each of its characters. Such a
    bracket is a symbol like any other to them. White space between words is one space, as those expect that expand
    "he'd been" to "he had been" and any other "he'd" to "he would".
    """
    text = " ".join(text.split())
    for openings, closings in BRACKETS:
        end = 1 + max(map(text.rfind, closings))
        text = text[:end] + text[end:].translate(dict.fromkeys(map(ord, openings), "|"))
    return text


class _SameObjects(dict[str, str]):
    """Equal strings as one object, which saves most of the memory of words; `sys.intern` takes twice as long."""

    def __missing__(self, text: str) -> str:
        return self.setdefault(text, text)


def digit_by_digit(text: str) -> str:
    """Every digit as a word of its own; a `one` that the English normaliser leaves is the digit too."""
    return DIGIT.sub(r" \g<0> ", ONE.sub("1", text))


def basic(text: str) -> str:
    """Normalise a text for any language. NFKC before and after case folding (Unicode 15, D146), which may decompose."""
    if text.isascii():  # where NFKC changes nothing and a table of 128 bytes is enough: a third of the time
        text = text.lower().encode("ascii").translate(_ASCII_SIGNS).decode("ascii")
    else:
        folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", resolved(text)).casefold())
        text = folded.translate(_SIGNS)
    return LONE_APOSTROPHE.sub(" ", text) if "'" in text else text


def basic_texts(texts: Sequence[str]) -> list[str]:
    """`basic` of many texts; those in ASCII, where no character depends on another text, are normalised together."""
    plain = [text for text in texts if _is_plain_line(text)]
    normalized = iter(basic("\n".join(plain)).split("\n"))
    return [next(normalized) if _is_plain_line(text) else basic(text) for text in texts]


def _is_plain_line(text: str) -> bool:
    return text.isascii() and "\n" not in text


class _Signs(dict[int, str]):
    """Cached translation of characters: punctuation (P) and symbols (S) to a space, apostrophes to one form."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        result = "'" if character in APOSTROPHES else " " if category[0] in "PSZ" else character
        self[code] = result
        return result


_SIGNS = _Signs()
_ASCII_SIGNS = bytes(range(128)).decode("ascii").translate(_SIGNS).encode("ascii") + bytes(128)
