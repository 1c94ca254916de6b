"""Sentences about notation: how words are written, apart from which words were spoken."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.facts import BASE
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details
from lora.formatting import percent, rate_name

Result = CheckResult | CauseResult

FORMS = {
    "english_digits": "With numbers read digit by digit (`normalizer: english_digits`)",
    "english": "With numbers, contractions and spelling written alike (`normalizer: english`)",
    "basic": "With words as they are written (`normalizer: basic`)",
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
    sentence = f"{FORMS[details['notation']]}, the {rate} on {manifest} is {fairer} instead of {own}."
    return sentence if result.reason == "ok" else f"{sentence} {FINDINGS[result.reason].format(rate=rate)}"


def _rates(details: Details, kind: str) -> str:
    rates = details[kind]
    run = details["run"]
    baseline = percent(rates["baseline"])
    return baseline if run is None else f"{baseline} ({BASE}) and {percent(rates['run'])} ({run})"


def write_alike(result: CauseResult) -> str:
    notation = result.details["notation"]
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
