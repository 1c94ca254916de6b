"""Sentences about mismatched transcripts."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.facts import TRAIN
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.audio import audio_fault
from lora.diagnosis.wording.names import Details, named
from lora.formatting import count, percent, percent_range

REMEDY_NAMES = 8  # rows that a remedy names


def texts(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_compared":
        return f"Transcripts of {manifest} were not compared with what the base model transcribes."
    sampled = "sampled " if manifest == TRAIN else ""
    rows = f"{details['compared']:,} {sampled}rows of {manifest}"
    if result.reason == "ok":
        return (
            f"0 of {rows} have a base model hypothesis that fits the transcript of another row better than their own."
        )
    if result.reason == "unlike":
        lines = named(details["unlike_lines"], details["unlike"])
        return (
            f"{details['unlike']:,} of {rows} ({percent(details['unlike_share'])}, 95 % interval "
            f"{percent_range(*details['interval'])}; lines {lines}) have a base model hypothesis unlike their own "
            f"transcript, against {percent(details['other_share'])} of {details['other']}."
        )
    text = (
        f"{details['mismatched']:,} of {rows} ({percent(details['share'])}) have a base model hypothesis that fits the "
        f"transcript of another row ({mismatch_examples(details)})"
    )
    if details["offset"] is not None:
        text += (
            f"; {details['shifted']:,} of the {details['mismatched']:,} match the transcript "
            f"{lines_away(details['offset'])}: the transcripts are shifted"
        )
    if details["contradicted_by"] is not None:
        text += (
            f"; {details['contradicted_by']} transcribes the rows as written, so the hypotheses of base are assigned "
            "to "
            "wrong rows, not these transcripts"
        )
    return f"{text}."


def mismatch_examples(details: Details) -> str:
    """The first two mismatched rows with both distances, and how many more there are."""
    parts = [
        f"{row['row']}: {percent(row['own_distance'])} of the characters differ from its own transcript, "
        f"{percent(row['other_distance'])} from that of {row['other']}"
        for row in details["first"][:2]
    ]
    more = details["mismatched"] - len(parts)
    return "; ".join([*parts, *([f"{more:,} more"] if more > 0 else [])])


def lines_away(offset: int) -> str:
    """`1 line above`, `2 lines below`."""
    return f"{count(abs(offset), 'line')} {'below' if offset > 0 else 'above'}"


def correct_texts(result: CauseResult) -> str | None:
    if result.reason == "text_rate":
        return None
    details = result.details
    manifest = result.manifest
    if result.reason == "unlike":
        return (
            f"Listen to lines {named(details['unlike_lines'], details['unlike'])} of {manifest} and compare offsets, "
            "sampling rates and transcripts with what is spoken."
        )
    if details["offset"] is not None:
        remedy = (
            f"Shift the transcripts of {manifest} back: between lines {details['first_line']} and "
            f"{details['last_line']}, each row's transcript is {lines_away(details['offset'])} (`{details['file']}` "
            "lists "
            "every line)."
        )
    else:
        rows = [f"{row['row']} (audio of {row['other']})" for row in details["first"]]
        remedy = f"Listen to these rows of {manifest} and correct their transcripts: "
        remedy += named(rows, details["mismatched"], most=REMEDY_NAMES)
        remedy += f"; `{details['file']}` lists every line." if details["mismatched"] > REMEDY_NAMES else "."
    if manifest == TRAIN and details["compared"] < details["rows"]:
        remedy += (
            f" Only {details['compared']:,} of its {details['rows']:,} rows were transcribed: check the others too."
        )
    return remedy


def transcript_mismatch(result: CauseResult) -> str:
    return audio_fault(result) if result.reason == "text_rate" else texts(result)


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {"data.texts": texts}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {"data.transcript_mismatch": transcript_mismatch}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {"data.transcript_mismatch": correct_texts}
