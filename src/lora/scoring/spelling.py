"""Whether two runs of words are the same words in another spelling, beyond what the study's normaliser takes as equal.

Two forms are compared, without the blanks between words: the words without hyphens and apostrophes (`ice cream`,
`icecream`; `dont`, `don't`), and for English texts what the normaliser of the Whisper paper makes of them (numbers as
digits, contractions written out, American spelling, no fillers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain

from lora.scoring.normalizers import basic, normalizer

# About a fifth of running English; almost none of them is a word elsewhere.
ENGLISH = frozenset({"the", "and", "of", "to", "that", "it", "is", "was"})
ENGLISH_SHARE = 0.06

Form = Callable[[str], str]


def is_english(texts: Iterable[Sequence[str]]) -> bool:
    """Whether texts (as words in lower case) are English, by the share of its commonest words."""
    words = list(chain.from_iterable(texts))
    return sum(word in ENGLISH for word in words) > ENGLISH_SHARE * len(words)


def spellings(english: bool) -> list[Form]:
    """What makes one string of a text, whichever way it is spelled."""
    forms: list[Form] = [lambda text: "".join(basic(text).replace("'", "").split())]
    if english:
        words = normalizer("english").words
        forms.append(lambda text: "".join(words(text)))
    return forms


def spelled_alike(reference: Sequence[str], hypothesis: Sequence[str], forms: Sequence[Form]) -> bool:
    """Also where one side is nothing but what a form drops (a filler)."""
    first, second = " ".join(reference), " ".join(hypothesis)
    return any(form(first) == form(second) for form in forms)
