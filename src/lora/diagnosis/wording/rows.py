"""Sentences about rows that are rejected, exceed the model's window, or also occur in training."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.facts import TRAIN
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.audio import audio_fault
from lora.diagnosis.wording.names import Details, named
from lora.formatting import configured_percent, count, listed, percent, seconds


def rejected_rows(result: CheckResult) -> str:
    details = result.details
    if result.reason == "not_read":
        return f"{result.manifest} was not read."
    if result.reason == "empty":
        return f"{result.manifest} has no rows."
    rows = count(details["rows"], "row")
    if result.reason == "ok":
        return f"All {rows} of {result.manifest} can be used."
    kinds = listed(details["kinds"])
    return f"{details['rejected']:,} of {rows} of {result.manifest} are rejected: {kinds}."


def _rejected_because(problem: str) -> Callable[[CauseResult], str]:
    def sentence(result: CauseResult) -> str:
        details = result.details
        share = percent(details["affected"] / details["rows"])
        lines = named(details["lines"], details["affected"])
        noun = "line" if details["affected"] == 1 else "lines"
        return (
            f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} ({share}; {noun} "
            f"{lines}) "
            f"{problem}."
        )

    return sentence


def silent_rows(result: CheckResult | CauseResult) -> str:
    details = result.details
    silent = f"{count(details['silent'], 'row')} of {result.manifest} with an empty transcript"
    if result.reason == "ok":
        return f"The baseline writes words at the usual rate into {details['affected']:,} of {silent}."
    return (
        f"Somebody speaks in {details['affected']:,} of {silent} ({named(details['ids'], details['affected'])}): the "
        f'baseline writes different texts at the usual rate of words there, such as "{details["example"]}".'
    )


def empty_transcripts(result: CauseResult) -> str:
    return silent_rows(result) if result.reason == "speech" else _rejected_because("have no transcript")(result)


def fill_in(result: CauseResult) -> str | None:
    if result.reason != "speech":
        return None
    return "Fill in the transcripts of these rows, or remove the rows; only rows of silence may have an empty text."


def unusable_rows(result: CauseResult) -> str:
    details = result.details
    share = percent(details["affected"] / details["rows"])
    lines = named(details["lines"], details["affected"])
    reasons = "; ".join(f"{count(reason['rows'], 'row')}: {reason['reason']}" for reason in details["reasons"])
    noun = "line" if details["affected"] == 1 else "lines"
    return (
        f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} ({share}; {noun} {lines}) "
        f"cannot be used: {reasons}."
    )


def give_durations(result: CauseResult) -> str | None:
    if not result.details["no_duration"]:
        return None
    return "Add `duration` in seconds to these rows, or provide their recordings; `rejected.tsv` lists every line."


def model_window(result: CheckResult | CauseResult) -> str:
    details = result.details
    window = seconds(result.details["window"])
    rows = count(details["rows"], "row")
    if result.reason == "ok":
        return f"All {rows} of {result.manifest} are within the model's window of {window}."
    ids = named(details["ids"], details["affected"])
    return (
        f"{details['affected']:,} of {rows} of {result.manifest} are longer than the model's window of {window} "
        f"({ids})."
    )


def cut_to_window(result: CauseResult) -> str | None:
    if result.manifest != TRAIN:
        return None
    window = result.details["window"]
    return f"Set `durations.max_seconds` to at most {window:g}, or cut these recordings and their transcripts."


def overlap(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_computed":
        return f"{manifest} was not compared with {details.get('source', 'the training manifest')}."
    source = details.get("source", "training")
    rows = count(details["rows"], "row")
    if result.reason == "shared_speakers":
        limit = "forgetting may not show on" if "source" in details else "a gain may be limited to"
        return (
            f"{details['shared_speakers']:,} of {count(details['speakers'] or 0, 'speaker')} of {manifest} "
            f"({named(details['speaker_names'], details['shared_speakers'])}) are in {source} too, so {limit} them."
        )
    if result.reason == "shared_rows":
        return f"{source.capitalize()} contains {' and '.join(_shared_parts(details))} of the {rows} of {manifest}."
    sentences = (
        f"{count(details['sentences'], 'sentence')} of {rows} occur in {source} (tolerated: "
        f"{configured_percent(details['tolerated_sentences'])})"
    )
    if details["shared_rows"]:
        return (
            f"{count(details['shared_rows'], 'row')} of {manifest} are in {source}, within the tolerated share, and no "
            f"speaker is; {sentences}."
        )
    compared = "recording, text by the same speaker or speaker" if details["audio_compared"] else "text or speaker"
    limit = "" if details["audio_compared"] else " (recordings were not compared)"
    return f"0 rows of {manifest} are in {source}: no shared {compared}{limit}; {sentences}."


def _shared_parts(details: Details) -> list[str]:
    parts = []
    if details["too_many_rows"] and details["recordings"]:
        parts.append(
            f"{count(details['recordings'], 'recording')} ({_line_pairs(details, 'recording_lines', 'recordings')})"
        )
    if details["too_many_rows"] and details["texts"]:
        texts = count(details["texts"], "text")
        parts.append(f"{texts} by the same speaker ({_line_pairs(details, 'text_lines', 'texts')})")
    if details["too_many_sentences"]:
        share = percent(details["sentences"] / details["rows"])
        tolerated = configured_percent(details["tolerated_sentences"])
        parts.append(f"the sentences of {details['sentences']:,} ({share}; tolerated: {tolerated})")
    return parts


def _line_pairs(details: Details, key: str, total: str) -> str:
    pairs = [
        f"line {pair['line']} is line {pair['train_line']} of {details.get('source', 'training')}"
        for pair in details[key]
    ]
    return named(pairs, details[total], most=2)


def separate_speakers(result: CauseResult) -> str | None:
    if result.reason != "shared_speakers":
        source = result.details.get("source")
        return None if source is None else f"Remove the shared rows from the manifest {source}."
    source = "training manifest" if "source" not in result.details else f"manifest {result.details['source']}"
    return f"Remove these speakers from the {source}, or add other speakers to {result.manifest}."


def duplicates(result: CauseResult) -> str:
    return (
        audio_fault(result)
        if result.reason == "repeated"
        else _rejected_because("use an id that was used before")(result)
    )


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "data.rejected_rows": rejected_rows,
    "data.silent_rows": silent_rows,
    "data.model_window": model_window,
    "data.overlap": overlap,
    "data.replay_overlap": overlap,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "data.unreadable_audio": _rejected_because("have no readable audio"),
    "data.empty_transcripts": empty_transcripts,
    "data.duplicates": duplicates,
    "data.unusable_rows": unusable_rows,
    "data.exceeds_model_window": model_window,
    "data.leakage": overlap,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.empty_transcripts": fill_in,
    "data.unreadable_audio": give_durations,
    "data.exceeds_model_window": cut_to_window,
    "data.leakage": separate_speakers,
}
