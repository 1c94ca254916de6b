"""Markup in references and hypotheses: what stands in a text and is not speech.

Every kind is found by its form, so that ordinary brackets, hyphens and percent signs are text: a word in brackets is
markup only where it names a sound (`[noise]`) or hesitation (`(uh)`). `fragments` (`wor-`) look like the first part of
a compound (`pre- and post-war`); they are counted and removed only where `text.strip` names them.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from lora.records.markup import MarkupCount
from lora.scoring.alternations import ALTERNATION, first_alternative

EXAMPLES = 3

_SOUND = (
    r"(?:applause|background|beep|blank|breath(?:e|es|ing)?|cheer(?:s|ing)?|chuckl(?:e|es|ing)|clap(?:s|ping)?|clicks?|"
    r"cough(?:s|ing)?|cross-?talk|cry(?:ing)?|distortion|fil|filler|foreign|fp|garbage|gasps?|groans?|hes|hesitation|"
    r"hum(?:s|ming)?|inaudible|inhal(?:e|es|ing)|laugh(?:s|ter|ing)?|lip-?smack|mouth|music|nois(?:e|es|y)|nsn|"
    r"overlap(?:ping)?|pause|phone|ring(?:s|ing)?|screams?|sigh(?:s|ing)?|sil|silence|singing|smack|sneez(?:e|es|ing)|"
    r"sniff(?:s|les|ing)?|sounds?|speech|spn|sta|static|throat|unclear|unintelligible|vocali[sz]ed|whistl(?:e|es|ing)|"
    r"yawn(?:s|ing)?)"
)
# In parentheses only sounds that no sentence puts there: (music) is a sound, (speech) may be an aside.
_ASIDE = (
    r"(?:applause|breath(?:es|ing)|cheer(?:s|ing)|chuckl(?:es|ing)|clears throat|cough(?:s|ing)?|cross-?talk|gasps?|"
    r"inaudible|laugh(?:s|ter|ing)?|music|noise|sigh(?:s|ing)?|silence|sneez(?:es|ing)|sniff(?:s|les|ing)|"
    r"unintelligible|yawn(?:s|ing))"
)
_QUALIFIER = r"(?:audio|clears|clearing|human|loud|no|non|short|soft|speaker|spk|spoken|upbeat)"
_SOUNDS = rf"(?:{_QUALIFIER}[\s_-]+){{0,2}}{_SOUND}(?:[\s_-]+(?:{_SOUND}|{_QUALIFIER})){{0,2}}"
_FILLER = r"(?:uh+|um+|ah+|eh+|er+m?|hm+|mm+|mhm|huh|äh+m?|öh+m?|euh|ähem)"
_CLOCK = r"(?:\d{1,2}:)?\d{1,2}:\d{2}(?:[.,]\d{1,3})?"

# Forms by kind, the more special before the more general; case does not matter.
_FORMS = {
    "prefixes": r"^\s*(?:language\s+[\w-]+\s*)?<asr_text>|<asr_text>|^\s*lang(?:uage)?:\w+\s*\[TRANSCRIBE\]"
    r"|^\s*(?:the\s+)?transcript(?:ion)?(?:\s+is)?\s*:\s*|^\s*__[a-z]{3}__",
    "time_tokens": rf"<\|\d+(?:\.\d+)?\|>|<{_CLOCK}>|<\d+\.\d+>|[\[(]?{_CLOCK}\s*-->\s*{_CLOCK}[\])]?|\[{_CLOCK}\]"
    r"|\[\d+\.\d+\s*+s?\s*+(?:-|-->|:|,)\s*\d+\.\d+\s*s?\]",
    "unknown_words": r"\N{DOUBLE QUESTION MARK}|<\|?unk\|?>|\[unk\]|<oov>",
    "special_tokens": r"<[|｜][^<>|｜\s]{1,40}[|｜]>|</?s>|\[(?:pad|cls|sep|mask|bos|eos|/?inst)\]"
    r"|<(?:pad|bos|eos|sos|sos/eos|blank|blk|eps|epsilon|mask|cls|sep|extra_id_\d+|unused\d+|(?:start|end)_of_\w+)>",
    "speaker_tags": r"<v(?:\.[\w.]+)?\s+[^<>]{1,40}>|</v>|[\[<](?:spk|speaker)[\s_-]?\w{1,12}[\]>]"
    r"|^\s*(?:spk|speaker)[\s_-]?\w{1,3}\s*:(?=\s)|(?:^|(?<=[.?!]\s))\s*>>+(?=\s)",
    "noise_tags": rf"\[laugh(?:ter|ing)?-(?P<laughed>\w+)\]|[\[<]{_SOUNDS}[\]>]|\*{_SOUNDS}\*"
    rf"|\((?:{_QUALIFIER}\s+){{0,2}}{_ASIDE}\)|(?<![\w<])<[a-z][a-z0-9_-]{{0,24}}/?>|</[a-z][a-z0-9_-]{{0,24}}>",
    "hesitations": r"(?<!\S)\(?%[a-z][\w-]+\)?(?!\S)|[\[<]\s*%?" + _FILLER + r"\s*[\]>]",
    "optional_words": rf"(?<!\S)\({_FILLER}\)",
    "alternations": ALTERNATION.pattern,
    "fragments": r"(?<![\w-])[^\W\d_]+-(?!\S)|(?<!\S)-[^\W\d_]+(?![\w-])",
}
_FORM = re.compile("|".join(f"(?P<{kind}>{form})" for kind, form in _FORMS.items()), re.IGNORECASE)
_SIGN = re.compile(r"[<\[({*>%:_⁇-]")
KINDS = tuple(_FORMS)
# Kinds that can be removed; alternations are resolved in every score.
REMOVABLE = tuple(kind for kind in KINDS if kind != "alternations")
# Kinds whose form leaves no doubt that it is no speech.
CERTAIN = tuple(kind for kind in REMOVABLE if kind != "fragments")


class Markup(NamedTuple):
    """One piece of markup; `spoken` is the text that replaces it where it is removed."""

    kind: str
    start: int
    end: int
    text: str
    spoken: str


def find_markup(text: str) -> list[Markup]:
    """Every piece of markup in a text, in its order."""
    if _SIGN.search(text) is None:
        return []
    return [
        Markup(_kind(match), match.start(), match.end(), match[0].strip(), _spoken(match))
        for match in _FORM.finditer(text)
    ]


def _kind(match: re.Match[str]) -> str:
    return next(kind for kind in KINDS if match[kind] is not None)


def _spoken(match: re.Match[str]) -> str:
    """`[laughter-yes]` is the word yes, said while laughing; of an alternation the first counts."""
    if match["alternations"] is not None:
        return first_alternative(match["alternations"])
    return match["laughed"] or ""


def strip_markup(text: str, kinds: Iterable[str]) -> str:
    """The text without markup of these kinds."""
    kinds = frozenset(kinds)
    found = [markup for markup in find_markup(text) if markup.kind in kinds]
    if not found:
        return text
    parts, at = [], 0
    for markup in found:
        parts += [text[at : markup.start], markup.spoken]
        at = markup.end
    return " ".join(" ".join([*parts, text[at:]]).split())


def chosen_kinds(strip: str | Sequence[str]) -> list[str]:
    """The kinds that a value of `text.strip` names, in a fixed order; `all` is every kind."""
    named = {strip} if isinstance(strip, str) else set(strip)
    return [kind for kind in REMOVABLE if "all" in named or kind in named]


class MarkupCounter:
    """Counts markup in texts by kind."""

    def __init__(self) -> None:
        self._rows = Counter[str]()
        self._forms: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, text: str) -> None:
        found = find_markup(text)
        if found:
            self._rows.update({markup.kind for markup in found})
            for markup in found:
                self._forms[markup.kind][markup.text] += 1

    def counts(self) -> list[MarkupCount]:
        """By kind, how many texts have it, how often it occurs, and its most frequent forms."""
        return [
            MarkupCount(
                kind=kind,
                rows=self._rows[kind],
                tokens=self._forms[kind].total(),
                examples=[form for form, _ in self._forms[kind].most_common(EXAMPLES)],
            )
            for kind in KINDS
            if self._rows[kind]
        ]


def count_markup(texts: Iterable[str]) -> list[MarkupCount]:
    """`MarkupCounter.counts` of texts."""
    counter = MarkupCounter()
    for text in texts:
        counter.add(text)
    return counter.counts()
