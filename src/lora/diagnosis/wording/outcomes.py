"""Sentences of what tuning did to the WER."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.headroom import broken_hypotheses
from lora.formatting import (
    configured_percent,
    configured_points,
    count,
    listed,
    number,
    percent,
    points,
    points_range,
    rate_name,
)

Result = CheckResult | CauseResult

# What explains a worse WER, by the beginning of the code of a cause.
EXPLANATIONS = {
    "labels.": "labels teach the model something else (see the label causes)",
    "data.": "rows of the training manifest are wrong",
    "adapter.excessive_delta": "the adapter overwrites the base model",
    "training.overfit": "the training overfits",
    "training.best_not_kept": "the best step is not the one evaluated",
    "training_too_strong": "the learning rate is too high, or the steps too many, for this amount of data",
}


def outcome(result: Result) -> str:
    details = result.details
    if result.reason == "not_compared":
        return _not_compared(result)
    text = change(details)
    if result.reason == "worse_with_broken_hypotheses":
        text += f". Unlike the baseline's, its hypotheses are broken: {broken_hypotheses(details['signs'])}"
    elif result.reason == "worse" and (missing := details["missing_words"]):
        text += (
            f". Most errors that it adds are missing words: {missing['after']:,} of {missing['words']:,}, and "
            f"{missing['before']:,} before"
        )
    elif result.reason == "worse" and details["explanation"] is not None:
        text += f". Most likely {EXPLANATIONS[details['explanation']]}"
        if details["explanation"] == "data.":
            text += f" ({listed(details['training_faults'])})"
    return f"{text}."


def general_set(result: Result) -> str:
    details = result.details
    if result.reason == "no_general_manifest":
        return f"roles.general names no manifest, so whether {result.run} forgets general speech is not watched."
    if result.reason == "not_compared":
        return _not_compared(result)
    margin = configured_points(details["margin"])
    endings = {
        "worse": "",
        "within_margin": f": no forgetting beyond {margin}",
        "undecided": f": forgetting beyond {margin} is neither shown nor excluded",
    }
    return f"{change(details)}{endings[result.reason]}."


def direction(result: Result) -> str:
    return f"{change(result.details['first'])}; {change(result.details['second'])}."


def _not_compared(result: Result) -> str:
    return f"{result.run} was not compared with the baseline on {result.manifest}."


def change(details: Mapping[str, Any]) -> str:
    """`lora changes WER on domain by 14.80 points, from 37.5 % to 22.7 % (better; 95 % interval ... )`."""
    run = details["run"]
    manifest = details["manifest"]
    delta = details["delta"]
    if details["baseline_wer"] is None or details["tuned_wer"] is None or delta is None:
        return f"{run} has no WER on {manifest}"
    rate = rate_name(details.get("unit", "words"))
    before = percent(details["baseline_wer"])
    after = percent(details["tuned_wer"])
    if details["outcome"] == "unchanged":
        return f"{run} changes no hypothesis of {manifest} ({rate} {before})"
    if details["outcome"] == "same_words":
        raw = [percent(value) for value in details["raw"]]
        return (
            f"{run} writes the same words on {manifest} ({rate} {before}): {details['changed_hypotheses']:,} of "
            f"{count(details['utterances'], 'text')} differ in case or punctuation only (as written: {rate} {raw[0]} "
            f"before and {raw[1]} after tuning)"
        )
    size = f"{points(delta)} {'worse' if delta > 0 else 'better'}" if delta else "no different"
    interval = details["interval"]
    confidence = "no interval"
    if interval["low"] is not None and interval["high"] is not None:
        ends = points_range(interval["low"], interval["high"])
        confidence = f"{configured_percent(interval['confidence'])} interval of the change for this adapter {ends}"
        confidence += ", these speakers only" if interval["scope"] == "these_speakers" else ""
    return f"{run} is {size} on {manifest}: {rate} {before} before and {after} after tuning ({confidence})"


def worsens_remedy(result: CauseResult) -> str | None:
    if result.reason == "worse_with_broken_hypotheses":
        return (
            f"Read some transcripts of {result.run}: look for loops, truncation and missing words, which come from the "
            "decoding settings, from an incomplete file, or from a model that no longer writes EOS."
        )
    if result.details["missing_words"]:
        return (
            f"Look whether the transcripts of {result.run} end before the speech does: a limit on their length "
            "(`max_new_tokens`, `generation_max_length`) or on the audio (30 s, segments) cuts them more often than "
            "training does."
        )
    if result.details["kind"] in {"hypotheses", "checkpoint"}:
        return f"Find out with which data and settings {result.run} was trained before a sweep entry repeats them."
    if result.details["explanation"] == "data.":
        faults = listed(result.details["training_faults"])
        return f"Fix the training manifest first ({faults}), then train {result.run} again with the same settings."
    if result.details["explanation"] == "training_too_strong" and result.details["learning_rate"]:
        lower = result.details["learning_rate"] / 5
        return (
            f"Add a sweep entry with `learning_rate` {number(lower, 1)} ({result.run} has "
            f"{number(result.details['learning_rate'])}) or fewer `max_steps`, and compare it with this run."
        )
    return None


def direction_remedy(result: CauseResult) -> str:
    runs = [result.details[side]["run"] for side in ("first", "second")]
    return f"Compare the training, adapter and decoding settings of {runs[0]} and {runs[1]} before using either."


SUMMARIES: dict[str, Callable[[Result], str]] = {
    "adapter.outcome": outcome,
    "adapter.general_set": general_set,
    "adapter.direction": direction,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "adapter.worsens": worsens_remedy,
    "adapter.direction_mismatch": direction_remedy,
}
