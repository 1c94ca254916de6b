"""Sentences about what listeners found in references."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details, listed_examples
from lora.formatting import (
    configured_percent,
    count,
    outcome_words,
    percent,
    percent_range,
    points,
    points_range,
    rate_name,
    signed_points,
)


def reviews(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_computed":
        return f"What listeners found in {manifest} was not compared with its WER."
    parts = [FOUND[result.reason](manifest or "", details), _judged(manifest or "", details), _sample(details)]
    parts.append(_sides(details))
    if details["suspicion"]:
        parts.append(_suspicion(details["suspicion"]))
    if details["disagreements"]["count"]:
        rows = count(details["disagreements"]["count"], "row")
        parts.append(f"Listeners disagree on {rows} ({listed_examples(details['disagreements'])}).")
    return " ".join(part for part in parts if part)


def _outcome_changes(manifest: str, details: Details) -> str:
    return (
        f"With corrected references {details['run']} on {manifest} is {_outcome(details['corrected'])}; with the "
        f"references as given it is {_outcome(details['given'])}."
    )


def _no_headroom(manifest: str, details: Details) -> str:
    floor = details["floor"]
    return (
        f"With corrected references the baseline {rate_name(details['unit'])} on {manifest} is "
        f"{percent(details['wer']['corrected'], floor)}, not above the floor of {configured_percent(floor)} "
        f"({percent(details['wer']['given'], floor)} with the references as given): the headroom is reference errors."
    )


def _mostly_references(manifest: str, details: Details) -> str:
    sample = details["sample"]
    ends = sample["reference_interval"]
    return (
        f"Wrong references cause {points(sample['reference_wer'])} of the baseline {rate_name(details['unit'])} in the "
        f"random sample of {manifest} ({points_range(ends['low'], ends['high'])}), more than the "
        f"{points(sample['wer'] - sample['reference_wer'])} that are left to gain."
    )


def _ok(manifest: str, details: Details) -> str:
    if not details["counts"]["reference_wrong"]:
        return ""  # nothing was corrected
    rate = rate_name(details["unit"])
    text = (
        f"With corrected references the baseline {rate} on {manifest} is {percent(details['wer']['corrected'])} "
        f"instead of {percent(details['wer']['given'])}"
    )
    if details["run"]:
        text += f", and {details['run']} is {_outcome(details['corrected'])}, as with the references as given"
    return f"{text}."


FOUND: dict[str, Callable[[str, Details], str]] = {
    "ok": _ok,
    "outcome_changes": _outcome_changes,
    "no_headroom": _no_headroom,
    "mostly_references": _mostly_references,
}


def _outcome(score: Details) -> str:
    ends = score["interval"]
    change = f"{signed_points(score['delta'])}, {points_range(ends['low'], ends['high'])}"
    return f"{outcome_words(score['outcome'])} ({change})"


def _judged(manifest: str, details: Details) -> str:
    counts = details["counts"]
    unusable = counts["audio_unusable"]
    audio = f", and {count(unusable, 'row has', 'rows have')} unusable audio" if unusable else ""
    rows = count(counts["judged"], "judged row")
    text = f"{counts['reference_wrong']:,} of {rows} of {manifest} have a wrong reference{audio}"
    errors = details["errors"]
    explained = errors["caused"] + errors["uncorrected"] if errors else 0
    if errors and explained > 0:
        at_most = "at most " if errors["uncorrected"] else ""
        text += f"; these references cause {at_most}{explained:,} of {count(errors['errors'], 'error')} of the baseline"
    return f"{text}."


def _sample(details: Details) -> str:
    sample = details["sample"]
    if sample is None:
        return (
            "No row of the random sample was decided, so how many of the other references are wrong is unknown: judge "
            "the queue of the random sample."
        )
    ends = sample["interval"]
    interval = f"{configured_percent(ends['confidence'])} interval {percent_range(ends['low'], ends['high'])}"
    share = f"{percent(sample['share'])}; {interval}"
    return f"In the random sample {sample['wrong']:,} of {count(sample['rows'], 'row')} have a wrong one ({share})."


def _sides(details: Details) -> str:
    sides = details["one_sided"]
    if sides is None:
        return ""
    return (
        f"{sides['worse_judged']:,} of {count(sides['worse'], 'row')} that got worse were judged and "
        f"{sides['better_judged']:,} of {sides['better']:,} that got better, so corrections favour one side."
    )


def _suspicion(suspicion: Details) -> str:
    judged = suspicion["confirmed"] + suspicion["refuted"]
    if not judged:
        return ""
    return (
        f"Listeners confirmed {suspicion['confirmed']:,} of {count(judged, 'suspected reference error')} that they "
        "judged."
    )


def use_corrections(result: CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    balance = ""
    if details["one_sided"]:
        balance = "First judge the rows that got better as completely as those that got worse. "
    return (
        f"{balance}Write the corrected manifest with `{details['command']}`, set `manifests.{manifest}` to "
        f"{details['path']} and remove the review files from `reviews`, then run the diagnosis again: the audio is not "
        "transcribed again."
    )


def judgements(result: CheckResult) -> str:
    details = result.details
    files = count(details["files"], "review file")
    if not details["rejected"]:
        return f"Every line of {files} can be used."
    first = details["first"][0]
    lines = count(details["rejected"], "line")
    return f"{lines} of {files} cannot be used; the first is {first['file']}:{first['line']}: {first['reason']}"


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "headroom.reviews": reviews,
    "headroom.judgements": judgements,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {"headroom.wrong_references": reviews}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {"headroom.wrong_references": use_corrections}
