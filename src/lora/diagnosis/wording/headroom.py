"""Sentences about the baseline and the power of a manifest. Remedies name data only, never settings of the training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.errors import style
from lora.diagnosis.wording.hypotheses import FAULTS, fault_remedy, loop_names, share
from lora.diagnosis.wording.names import Details
from lora.formatting import (
    configured_percent,
    configured_points,
    count,
    hours,
    interval,
    percent,
    points,
    rate_name,
    seconds,
)
from lora.records.scores import MOST_TIMES, Interval

# WER floor.


def headroom(result: CheckResult) -> str:
    details = result.details
    if result.reason == "no_wer":
        return " ".join(_unknown_wer(one) for one in details["unknown"])
    if result.reason == "none_above":
        return (
            f"{percent(details['wer'], details['floor'])} on {details['highest']} is the highest baseline WER of the "
            "domain "
            f"manifests, not above the floor of {configured_percent(details['floor'])}."
        )
    return f"{_baseline_wer(result)}; the floor is {configured_percent(details['floor'])}."


def baseline_wer(result: CheckResult | CauseResult) -> str:
    other = result.details.get("other_rows")
    return _judged_wer(result) if other is None else f"{_judged_wer(result)} {_all_rows(other)}"


def _all_rows(other: Details) -> str:
    """What all rows say where the limit leaves out many of them, or where the outcome is another one."""
    text = f"The limit leaves out {percent(other['left_out'])} of its rows"
    if other["wer"] is not None:
        known = interval(Interval.from_json(other["interval"]))
        text += f"; WER on all {count(other['rows'], 'row')} is {percent(other['wer'])} ({known})"
    if other["detectable"] is not None and other["detectable_within"] is not None:
        text += (
            f"; the smallest detectable difference is {points(other['detectable_within'])} within the limit and "
            f"{points(other['detectable'])} on all rows"
        )
    if other["outcomes"] is not None:
        text += f"; {other['run']} is {other['outcomes'][0]} within the limit and {other['outcomes'][1]} on all rows"
    return f"{text}. Set `headroom.rows: all` to judge all rows."


def _judged_wer(result: CheckResult | CauseResult) -> str:
    details = result.details
    if result.reason == "no_wer":
        return " ".join(_unknown_wer(one) for one in details["unknown"])
    text = _baseline_wer(result)
    if result.reason == "general":
        return (
            f"{text}: {result.manifest} is saturated, as expected of a general manifest, and can only show forgetting."
        )
    if result.reason == "too_few_rows":
        return (
            f"{text}: too few rows to decide whether it is above the floor of {configured_percent(details['floor'])}."
        )
    if result.reason == "saturated":
        return f"{text}, {_side(details)}: no adapter can show a gain here."
    return f"{text}, {_side(details)}."


def _baseline_wer(result: CheckResult | CauseResult) -> str:
    details = result.details
    known = interval(Interval.from_json(details["interval"]), details["floor"])
    rows = count(details["rows"], "row")
    if details["max_seconds"] is not None:
        rows += f" within {seconds(details['max_seconds'])}"
    rate = rate_name(details.get("unit", "words"))
    return f"Baseline {rate} on {result.manifest} is {percent(details['wer'], details['floor'])} ({rows}; {known})"


def _side(details: Details) -> str:
    """On which side of the floor the WER is, and whether all of its interval is."""
    above = details["wer"] > details["floor"]
    side = f"{'above' if above else 'not above'} the floor of {configured_percent(details['floor'])}"
    if details["certain"] is None:
        return f"{side} (confidence unknown)"
    if details["certain"]:
        return f"{side} with its whole interval"
    return f"{side}, but its interval reaches {'it' if above else 'above it'}"


def _unknown_wer(unknown: Details) -> str:
    text = f"The baseline WER on {unknown['manifest']} is unknown"
    if unknown["reason"] == "impossible":
        return f"{text}: {unknown['message']}."
    if unknown["reason"] == "no_row_within_limit":
        limit = seconds(unknown["max_seconds"])
        return f"{text}: none of its {count(unknown['rows'], 'row')} is within `max_seconds` ({limit})."
    if unknown["reason"] == "no_reference_word":
        return f"{text}: its references contain no word."
    return f"{text}: it was not scored."


def saturated(result: CauseResult) -> str:
    return style(result) if result.reason == "only_spelling" else baseline_wer(result)


def find_headroom(result: CauseResult) -> str:
    if result.reason == "only_spelling":
        return f"Spell the references of {result.manifest} as the model does, or evaluate on a harder manifest."
    if result.reason == "general":
        return "Keep this manifest to detect forgetting; look for gains on the domain manifests."
    harder = result.details["harder"]
    wanted = "Evaluate on a harder manifest of the target domain"
    if harder is None:
        return f"{wanted} (rarer words, other accents, more noise)."
    if harder["proposed"] is None:
        return (
            f"{wanted} (rarer words, other accents, more noise): with none of the "
            f"{count(harder['tried'], 'distortion')} of {harder['manifest']} is WER above the floor and at most "
            "`headroom.max_wer`."
        )
    wer = "" if harder["wer"] is None else f" (baseline WER {percent(harder['wer'])})"
    return (
        f"{wanted}, or on the harder version {harder['proposed']}{wer}: write it with `{harder['command']}`, then add "
        "the lines that results/report/index.html shows under D2 to config.yaml."
    )


# Baseline health.


def baseline_works(result: CheckResult | CauseResult) -> str:
    details = result.details
    if result.reason == "no_wer":
        return f"The baseline WER on {result.manifest} is unknown."
    if result.reason == "ok":
        return f"The baseline works on {result.manifest}: {_tolerated(details)}."
    text = f"The baseline does not work on {result.manifest}: {broken_hypotheses(details['signs'])}."
    if result.reason == "mismatched_transcripts":
        text += " Many of its transcripts belong to other rows, which explains it."
    if result.reason == "lost_transcripts":
        text += " Many of its transcripts are empty although somebody speaks, which explains it."
    return text


def fix_baseline(result: CauseResult) -> str | None:
    works_on = result.details["works_on"]
    remedy = fault_remedy(result.details["signs"])
    if works_on is None:
        return remedy
    listen = (
        f"Listen to a few rows of {result.manifest} and compare them with their transcripts, then fix its audio or its "
        f"transcripts: the model works on {works_on['manifest']} (WER {percent(works_on['wer'])})."
    )
    return listen if remedy is None else f"{remedy} {listen}"


def broken_hypotheses(signs: list[dict[str, Any]]) -> str:
    """What is wrong with hypotheses: `30 of 200 hypotheses (15.0 %) are truncated by the token cap; ...`."""
    return "; ".join(SIGNS[sign["sign"]](sign) for sign in signs)


def _tolerated(details: Details) -> str:
    utterances = details["utterances"]
    truncated = share(details["truncated"], utterances) if details["truncated"] else "no hypothesis"
    loops = "no loop"
    if details["loops"]:
        loops = (
            f"{share(details['loops'], utterances)} with loops "
            f"({loop_names(details['longest_loops'], details['loops'])})"
        )
    return (
        f"{truncated} truncated by the token cap, {loops}, {percent(details['length_ratio'])} as many words as the "
        "references"
    )


def _too_short(sign: Details) -> str:
    return (
        f"hypotheses have {percent(sign['length_ratio'], sign['least'])} as many words as the references (expected: at "
        "least "
        f"{configured_percent(sign['least'])})"
    )


SIGNS: dict[str, Callable[[Details], str]] = {
    "truncated": lambda sign: f"{share(sign['count'], sign['utterances'])} are truncated by the token cap",
    **FAULTS,
    "insertions": lambda sign: (
        f"{count(sign['count'], 'word')} are inserted into references of {sign['words']:,} (loops or hallucinations)"
    ),
    "too_short": _too_short,
    "wer": lambda sign: f"{rate_name(sign.get('unit', 'words'))} is {percent(sign['wer'])}",
}


# Power.


def power(result: CheckResult | CauseResult) -> str:
    concentrated = result.details["concentrated"]
    return detectable(result) if concentrated is None else f"{detectable(result)} {concentration(concentrated)}"


def concentration(details: Details) -> str:
    """`All 16 errors of the baseline are in 2 of 80 rows (r5, r40): ...`."""
    rows = f"{len(details['ids']):,} of {count(details['utterances'], 'row')} ({', '.join(details['ids'])})"
    which = "All" if details["errors"] == details["of"] else f"{details['errors']:,} of the"
    return (
        f"{which} {count(details['of'], 'error')} of the baseline are in {rows}, so that the set shows what happens in "
        "these rows and nothing about the others."
    )


def detectable(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = f"{result.manifest} ({count(details['utterances'], 'utterance')})"
    if details["detectable"] is None:
        return f"{manifest} is too small to estimate the difference that it could show."
    spread = f", by the observed spread of {details['spread_of']}" if details["spread_of"] else ""
    enough = "large enough" if details["detectable"] <= details["target"] else "too small"
    text = (
        f"{points(details['detectable'], details['target'])} is the smallest difference in error rate that {manifest} "
        f"can show{spread}: {enough} for the target gain of {configured_points(details['target'])}."
    )
    if result.reason == "decided":
        text += (
            f" The gate run's own difference is decided ({details['outcome'].replace('_', ' ')}); smaller ones between "
            "sweep runs may not be."
        )
    return text


def add_utterances(result: CauseResult) -> str:
    add = result.details["add"]
    manifest = result.manifest
    if result.details["out_of_reach"]:
        return (
            f"{manifest} is no way to decide a difference of {configured_points(result.details['target'])}: it would "
            f"take more than {MOST_TIMES} times its rows. Evaluate on another, larger set of the target domain, or set "
            "`statistics.target_gain` to a difference that the set can show."
        )
    if add is None:
        return f"Add utterances of the target domain to {manifest}, if possible from more speakers."
    amount = "" if add["hours"] is None else f" ({hours(add['hours'])})"
    speakers = "if possible from more speakers"
    if add["speakers"] is not None:
        speakers = f"from {count(add['speakers'], 'more speaker')} like the present ones"
    return f"Add about {count(add['utterances'], 'utterance')}{amount} of the target domain to {manifest}, {speakers}."


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "headroom": headroom,
    "headroom.baseline": baseline_wer,
    "headroom.baseline_works": baseline_works,
    "headroom.power": power,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "headroom.saturated": saturated,
    "headroom.baseline_broken": baseline_works,
    "headroom.underpowered": power,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "headroom.saturated": find_headroom,
    "headroom.baseline_broken": fix_baseline,
    "headroom.underpowered": add_utterances,
}
