"""Sentences about notation: how words are written, apart from which words were spoken."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

from lora.diagnosis.facts import BASE
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details
from lora.formatting import percent, rate_name

Result = CheckResult | CauseResult

MOST_LETTERS = 3  # that a sentence names
NAMED = {"": "nothing", " ": "a space"}

FORMS = {
    "english_digits": "With numbers read digit by digit (`normalizer: english_digits`)",
    "english": "With numbers, contractions and spelling written alike (`normalizer: english`)",
    "basic": "With words as they are written (`normalizer: basic`)",
    "letters": "With letters that only one side writes read as the other side writes them ({letters})",
    "word_division": "Without regard to spaces, hyphens and apostrophes",
}
FINDINGS = {
    "baseline": "Most of the baseline's {rate} is how words are written, not which words were recognised.",
    "part_of_baseline": "A part of the baseline's {rate} is how words are written, not which words were recognised.",
    "difference": "The difference is mainly one of how words are written, not of which words were recognised.",
}


def same_notation(result: Result) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_scored":
        return f"Texts of {manifest} were not scored."
    rate = rate_name(details["unit"])
    if details["notation"] is None:
        return f"No other fair notation of the texts of {manifest} lowers the {rate}."
    fairer = _rates(details, "fairer")
    own = _rates(details, "own")
    form = FORMS[details["notation"]].format(letters=_examples(details["letters"]))
    sentence = f"{form}, the {rate} on {manifest} is {fairer} instead of {own}."
    return sentence if result.reason == "ok" else f"{sentence} {FINDINGS[result.reason].format(rate=rate)}"


def _rates(details: Details, kind: str) -> str:
    rates = details[kind]
    run = details["run"]
    baseline = percent(rates["baseline"])
    return baseline if run is None else f"{baseline} ({BASE}) and {percent(rates['run'])} ({run})"


def _examples(letters: Mapping[str, str] | None) -> str:
    """`"ё" as "е", "U+064E ARABIC FATHA" as nothing and 3 more`."""
    pairs = [f"{_quoted(a)} as {_quoted(b)}" for a, b in (letters or {}).items()]
    more = f" and {len(pairs) - MOST_LETTERS} more" if len(pairs) > MOST_LETTERS else ""
    return ", ".join(pairs[:MOST_LETTERS]) + more


def _quoted(text: str) -> str:
    """A letter in quotes, by its name where it is a mark or cannot be seen."""
    if text not in NAMED and len(text) == 1 and unicodedata.category(text)[0] in "CM":
        return f"U+{ord(text):04X} {unicodedata.name(text, '')}".strip()
    return NAMED.get(text, f'"{text}"')


def write_alike(result: CauseResult) -> str:
    notation = result.details["notation"]
    if notation == "letters":
        return (
            "Write these letters alike in the references and in the transcripts of both runs, and compare again. If "
            "texts need the letters that hypotheses lack, look whether the model's tokenizer has them."
        )
    if undivided := result.details["undivided"]:
        return (
            f"Decode {undivided['run']} with spaces between words, and transcribe again: it writes "
            f"{undivided['written']:.1f} words per word of the references. Join the tokens as the tokenizer does, with "
            "its word delimiter (`word_delimiter_token` of wav2vec 2.0, `▁` of SentencePiece)."
        )
    if notation == "word_division":
        return (
            "Divide words in the references as the model does, or judge by characters with `text.unit: characters` "
            "(in a quick comparison `--unit characters`)."
        )
    return (
        f"Set `normalizer: {notation}` (in a quick comparison `--normalizer {notation}`) and score again; nothing is "
        "transcribed again."
    )


SUMMARIES: dict[str, Callable[[Result], str]] = {"text.same_notation": same_notation}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {"text.notation": write_alike}
