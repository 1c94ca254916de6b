"""Sentences about pieces of recordings, characters, speakers and the speed of speech."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.facts import TRAIN
from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details, named
from lora.formatting import count, listed, percent, seconds

FILE = "`manifests/{}.facts.json`"


def pieces(result: CheckResult | CauseResult) -> str:
    details = result.details
    shared = f"{count(details['shared'], 'row')} of {result.manifest} that share a recording"
    if result.reason == "ok":
        return f"0 of {shared} are inside another row's piece."
    first = [
        f"{_row(piece, '')} has {seconds(piece['shared_seconds'])} of {_row(piece, 'other_')}"
        for piece in details["first"]
    ]
    return (
        f"{details['affected']:,} of {count(details['rows'], 'row')} of {result.manifest} "
        f"({percent(details['affected'] / details['rows'])}) take audio that is more than half that of another row of "
        f"the same recording: {named(first, details['affected'])}."
    )


def _row(piece: Details, which: str) -> str:
    return f"line {piece[f'{which}line']}" if piece[f"{which}line"] is not None else str(piece[f"{which}id"])


def characters(result: CheckResult | CauseResult) -> str:
    details = result.details
    rows = count(details["rows"], "row")
    if result.reason == "ok":
        return f"0 of {rows} of {result.manifest} contain invisible or look-alike characters."
    kinds = [
        f"{one['code_point']} {one['name']} in {count(one['rows'], 'row')} (line {named(one['lines'], one['rows'])})"
        for one in details["characters"]
    ]
    more = details["kinds"] - len(kinds)
    kinds += [f"{more:,} more characters"] if more > 0 else []
    text = (
        f"{details['affected']:,} of {rows} of {result.manifest} ({percent(details['affected'] / details['rows'])}) "
        f"contain invisible or look-alike characters: {listed(kinds)}"
    )
    ignored = "counts them in words" if details["normalizer"] == "none" else "resolves them before scoring"
    return f"{text}. The normalizer `{details['normalizer']}` {ignored}."


def replace_characters(result: CauseResult) -> str:
    codes = listed([one["code_point"] for one in result.details["characters"]])
    remedy = f"Remove or replace {codes} in the transcripts of {result.manifest}"
    trained = ", or the model is trained to write them" if result.manifest == TRAIN else ""
    return f"{remedy}{trained}; {FILE.format(result.manifest)} lists characters and lines."


def speakers(result: CheckResult | CauseResult) -> str:
    details = result.details
    column = f" (column `{details['column']}`)" if details["column"] else ""
    if result.reason == "ok":
        return f"The {count(details['rows'], 'row')} of {result.manifest} name {count(details['speakers'], 'speaker')}."
    return (
        f"All {count(details['rows'], 'row')} of {result.manifest} that name a speaker name the same one{column}, so "
        "`split.by_speaker` has nothing to separate."
    )


def speed(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    own = f"{details['speed']:.1f} characters per second"
    if result.reason == "ok":
        compared = f"; {details['other']} has {details['usual']:.1f}" if "other" in details else ""
        return f"Speech of {manifest} has {own} (median of {count(details['rows'], 'row')}){compared}."
    if result.reason == "unlike_language":
        limit, end = ("fewer", "slowest") if details["affected_speed"] < details["usual"] else ("more", "fastest")
        return (
            f"Phrases of {manifest} have {details['affected_speed']:.1f} characters per second of audio (median), "
            f"{limit} than the {details['usual']:g} of the {end} sets of speech, as if the headers had a "
            "wrong sampling rate."
        )
    slow = "slower" if details["factor"] < 1 else "faster"
    factor = max(details["factor"], 1 / details["factor"])
    rates = listed([f"{rate} Hz" for rate in details["sampling_rates"]])
    if result.reason == "one_sampling_rate":
        who = f"{details['affected']:,} of {count(details['rows'], 'row')} of {manifest}, all that are at {rates},"
        text = f"{who} are {factor:.2f} times {slow} than the others"
    else:
        text = f"Speech of {manifest} (at {rates}) is {factor:.2f} times {slow} than that of {details['other']}"
    text += f" ({details['affected_speed']:.1f} against {details['usual']:.1f} characters per second)"
    if details["rate_factor"] is not None:
        text += ", as if the headers had a wrong sampling rate"
        text += f": {details['right_rate']} Hz would give the usual speed" if details["right_rate"] else ""
    return f"{text}."


def check_speed(cause: CauseResult) -> str | None:
    """Remedy for speech that is unlike any language, where no other manifest shows the right speed."""
    if cause.reason != "unlike_language":
        return None
    return (
        "Listen to a few rows. If they are too slow or too fast, write the recordings again with the right sampling "
        "rate in their headers; long silence around speech is best cut off. If people speak like this, keep the data."
    )


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "data.pieces": pieces,
    "data.invisible_text": characters,
    "data.speakers": speakers,
    "data.speed": speed,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.odd_characters": replace_characters,
    "data.wrong_sampling_rate": check_speed,
}
