"""Sentences about markup in transcripts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.formatting import count, percent

Result = CheckResult | CauseResult

NAMES = {
    "prefixes": "model prefixes",
    "time_tokens": "time tokens",
    "unknown_words": "tokens of unknown words",
    "special_tokens": "special tokens",
    "speaker_tags": "speaker tags",
    "noise_tags": "noise tags",
    "hesitations": "marked hesitations",
    "optional_words": "optional words",
    "alternations": "alternations",
    "fragments": "word fragments",
}
KINDS_NAMED = 3


def words_only(result: Result) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_scored":
        return f"Texts of {manifest} were not scored."
    if result.reason == "none":
        return f"Texts of {manifest} contain only words and punctuation."
    if result.reason == "training":
        share = f"{details['rows']:,} of {details['of']:,} training transcripts"
        return f"{share} contain markup, which the model would learn to write: {_kinds(details['sides'][0]['kinds'])}."
    found = "; ".join(f"{_side(side['side'])}: {_kinds(side['kinds'])}" for side in details["sides"])
    if result.reason == "alternations":
        return f"Of alternations in the references of {manifest} the alternative that costs least counts ({found})."
    if result.reason == "no_effect":
        return f"Markup in texts of {manifest} has no effect on WER ({found})."
    rates = [rate for rate in details["rates"] if rate["wer"] is not None and rate["without"] is not None]
    without = " and ".join(f"{percent(rate['without'])} ({rate['run']})" for rate in rates)
    scored = " and ".join(percent(rate["wer"]) for rate in rates)
    forms = ", ".join(dict.fromkeys(kind["examples"][0] for side in details["sides"] for kind in side["kinds"]))
    return f"Without markup ({forms}), WER on {manifest} is {without} instead of {scored}. Found in {found}."


def _side(side: str) -> str:
    return "references" if side == "references" else f"hypotheses of {side}"


def _kinds(kinds: list[dict[str, Any]]) -> str:
    ordered = sorted(kinds, key=lambda kind: -kind["tokens"])[:KINDS_NAMED]
    return ", ".join(
        f"{NAMES[kind['kind']]} such as {kind['examples'][0]} ({kind['tokens']:,} in {count(kind['rows'], 'row')})"
        for kind in ordered
    )


def remove_markup(result: CauseResult) -> str:
    details = result.details
    kinds = details["strip"]
    if result.reason == "training":
        if not kinds:
            return "Write one alternative only in the training transcripts."
        return (
            "Remove it from the training transcripts: "
            f"`lora-diagnose convert --manifest ... --output clean.jsonl --strip {' '.join(kinds)}`."
        )
    setting = f"Set `text.strip: [{', '.join(kinds)}]` (in a quick comparison `--strip {' '.join(kinds)}`)"
    if "special_tokens" in kinds and details["only_hypotheses"]:
        return f"Decode with `skip_special_tokens=True` and transcribe again. Or: {setting[0].lower()}{setting[1:]}."
    return f"{setting}, which removes it from both sides in every run, or remove it from the files."


SUMMARIES: dict[str, Callable[[Result], str]] = {"text.words_only": words_only}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {"text.markup": remove_markup}
