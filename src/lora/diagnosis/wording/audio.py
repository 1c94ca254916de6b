"""Sentences of the audio measurements."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details, named
from lora.formatting import configured_percent, count, listed, percent, seconds


def audio(result: CheckResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_measured":
        return f"The audio of {manifest} was not measured."
    recordings = count(details["rows"], "recording")
    if result.reason == "ok":
        return f"{recordings} of {manifest} were measured, and all have the expected length, level and bandwidth."
    faults = "; ".join(
        f"{count(fault['affected'], 'row')} with {FAULTS[fault['fault']](fault)}" for fault in details["faults"]
    )
    return f"{result.value:,} of {recordings} of {manifest} look wrong: {faults}."


def audio_fault(result: CauseResult) -> str:
    details = result.details
    if result.reason == "narrowband_everywhere":
        rows = f"{details['affected']:,} of {count(details['rows'], 'row')} of {listed(details['manifests'])}"
        return f"{rows} have {_narrowband(details)}: a property of all manifests."
    share = percent(details["affected"] / details["rows"])
    lines = named(details["lines"], details["affected"])
    tolerated = f" (tolerated: {configured_percent(details['tolerated'])})" if details["tolerated"] else ""
    rows = f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} ({share}; {lines})"
    return f"{rows} have {FAULTS[details['fault']](details)}{tolerated}."


def _wrong_durations(fault: Details) -> str:
    first = fault["first"]
    text = (
        f"another duration than the manifest claims ({first['line']}: {seconds(first['manifest'])} in the manifest, "
        f"{seconds(first['audio'])} of audio)"
    )
    if fault["unit"] is not None:
        return f"{text}, apparently in {fault['unit']}"
    if fault["factor"] is None:
        return text
    factor = max(fault["factor"], 1 / fault["factor"])
    longer = "longer" if fault["factor"] > 1 else "shorter"
    return f"{text}, all {factor:.2f} times {longer}, as a wrong sampling rate in the headers of the audio makes them"


def _text_rate(fault: Details) -> str:
    median = f", {fault['median']:.1f} characters per second" if fault["median"] else ""
    return f"over {fault['ratio']:g} times more or less text per second than the median row{median}"


def _narrowband(fault: Details) -> str:
    rates = listed([f"{rate} Hz" for rate in fault["sampling_rates"]])
    return f"no signal above {fault['bandwidth']:g} Hz though sampled at {rates}"


def _repeated(fault: Details) -> str:
    return f"the recording of an earlier row ({fault['first']['line']} repeats {fault['first']['repeats']})"


def _other_format(unit: str) -> Callable[[Details], str]:
    def phrase(fault: Details) -> str:
        return f"{listed([str(value) for value in fault['others']])} {unit} (most have {fault['usual']})"

    return phrase


# What rows with a fault have, by the name of the fault.
FAULTS: dict[str, Callable[[Details], str]] = {
    "wrong_durations": _wrong_durations,
    "silent": lambda fault: f"no level above {fault['level']:g} dB",
    "clipped": lambda fault: "clipped peaks",
    "narrowband": _narrowband,
    "text_rate": _text_rate,
    "repeated": _repeated,
    "other_channels": _other_format("channels"),
    "other_sampling_rate": _other_format("Hz"),
}


def wrong_durations(result: CauseResult) -> str:
    details = result.details
    if result.reason != "starve_training":
        return audio_fault(result)
    wrong = count(details["affected"], "duration is", "durations are")
    return (
        f"{wrong} wrong in the training manifest: by these, {seconds(details['threshold'])} leaves "
        f"{count(details['rows_by_manifest'], 'training row')}, by the audio about {details['rows_by_audio']:,}."
    )


def correct_durations(result: CauseResult) -> str | None:
    if result.reason == "starve_training":
        return "Write `duration` of the training manifest in seconds, or remove the key so that audio headers are read."
    unit = result.details["unit"]
    if unit is not None:
        return f"Write `duration` in seconds, not in {unit}, or remove the key so that audio headers are read."
    if result.details["factor"] is not None:
        return (
            "Listen to one of these recordings: if it is too slow or too fast, write the recordings again with the "
            "right sampling rate in their headers and keep the durations; if it is right, correct `duration`."
        )
    return None


def keep_bandwidth(result: CauseResult) -> str | None:
    if result.reason != "narrowband_everywhere":
        return None
    return "Nothing to do if the target domain is telephone speech (`integrity.max_narrowband: 1` says so)."


def remove_duplicates(result: CauseResult) -> str | None:
    if result.reason == "repeated":
        return "Remove the rows with repeated recordings, or correct their audio paths."
    return None


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {"data.audio": audio}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "data.wrong_durations": wrong_durations,
    "data.silent_audio": audio_fault,
    "data.clipped_audio": audio_fault,
    "data.sample_rate_mismatch": audio_fault,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.wrong_durations": correct_durations,
    "data.duplicates": remove_duplicates,
    "data.sample_rate_mismatch": keep_bandwidth,
}
