"""Sentences of the headroom checks. Remedies name data only, never settings of the training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.formatting import count, hours, interval, listed, percent, points, round_percent, round_points, seconds
from lora.records.scores import Interval

Details = Mapping[str, Any]


def named(names: list[str], total: int, most: int = 3) -> str:
    """The first names and how many more there are."""
    shown = names[:most]
    rest = total - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest and shown else listed(shown)


# WER floor.


def headroom(result: CheckResult) -> str:
    details = result.details
    if result.reason == "no_wer":
        return " ".join(_unknown_wer(one) for one in details["unknown"])
    if result.reason == "none_above":
        return (
            f"{percent(details['wer'], details['floor'])} on {details['highest']} is the highest baseline WER of the domain "
            f"manifests, not above the floor of {round_percent(details['floor'])}."
        )
    return f"{_baseline_wer(result)}; the floor is {round_percent(details['floor'])}."


def baseline_wer(result: CheckResult | CauseResult) -> str:
    details = result.details
    if result.reason == "no_wer":
        return " ".join(_unknown_wer(one) for one in details["unknown"])
    text = _baseline_wer(result)
    if result.reason == "general":
        return (
            f"{text}: {result.manifest} is saturated, as expected of a general manifest, and can only show forgetting."
        )
    if result.reason == "too_few_rows":
        return f"{text}: too few rows to decide whether it is above the floor of {round_percent(details['floor'])}."
    if result.reason == "saturated":
        return f"{text}, {_side(details)}: no adapter can show a gain here."
    return f"{text}, {_side(details)}."


def _baseline_wer(result: CheckResult | CauseResult) -> str:
    details = result.details
    known = interval(Interval.from_json(details["interval"]), details["floor"])
    return f"Baseline WER on {result.manifest} is {percent(details['wer'], details['floor'])} ({known})"


def _side(details: Details) -> str:
    """On which side of the floor the WER is, and whether all of its interval is."""
    above = details["wer"] > details["floor"]
    side = f"{'above' if above else 'not above'} the floor of {round_percent(details['floor'])}"
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
        f"{wanted}, or on the harder version {harder['proposed']}{wer}: write it with `{harder['command']}`, then add the "
        "lines shown in results/summary.md to config.yaml."
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
    return text


def fix_baseline(result: CauseResult) -> str | None:
    works_on = result.details["works_on"]
    if works_on is None:
        return None
    return (
        f"Listen to a few rows of {result.manifest} and compare them with their transcripts, then fix its audio or its "
        f"transcripts: the model works on {works_on['manifest']} (WER {percent(works_on['wer'])})."
    )


def broken_hypotheses(signs: list[dict[str, Any]]) -> str:
    """What is wrong with hypotheses: `30 of 200 hypotheses (15.0 %) are truncated by the token cap; ...`."""
    return "; ".join(SIGNS[sign["sign"]](sign) for sign in signs)


def _tolerated(details: Details) -> str:
    utterances = details["utterances"]
    truncated = _share(details["truncated"], utterances) if details["truncated"] else "no hypothesis"
    loops = "no loop"
    if details["loops"]:
        loops = f"{_share(details['loops'], utterances)} with loops ({loop_names(details['longest_loops'], details['loops'])})"
    return f"{truncated} truncated by the token cap, {loops}, {percent(details['length_ratio'])} as many words as the references"


def loop_names(longest: list[dict[str, Any]], total: int) -> str:
    """`train-7: "and then" 12 times`, the longest first."""
    return named([f'{loop["id"]}: "{loop["words"]}" {loop["times"]} times' for loop in longest], total)


def _share(rows: int, utterances: int) -> str:
    return f"{rows:,} of {count(utterances, 'hypothesis', 'hypotheses')} ({percent(rows / utterances)})"


def _loops(sign: Details) -> str:
    return f"{_share(sign['count'], sign['utterances'])} loop ({loop_names(sign['longest'], sign['count'])})"


def _too_short(sign: Details) -> str:
    return (
        f"hypotheses have {percent(sign['length_ratio'], sign['least'])} as many words as the references (expected: at least "
        f"{round_percent(sign['least'])})"
    )


SIGNS: dict[str, Callable[[Details], str]] = {
    "truncated": lambda sign: f"{_share(sign['count'], sign['utterances'])} are truncated by the token cap",
    "loops": _loops,
    "insertions": lambda sign: (
        f"{count(sign['count'], 'word')} are inserted into references of {sign['words']:,} (loops or hallucinations)"
    ),
    "too_short": _too_short,
    "wer": lambda sign: f"WER is {percent(sign['wer'])}",
}


# Kinds of errors and references.


def style(result: CheckResult | CauseResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason == "not_computed":
        return f"How many errors on {manifest} are only spelling was not computed."
    pairs = [f'"{pair["reference"]}" as "{pair["hypothesis"]}"' for pair in details["respelled"]]
    examples = f" ({named(pairs, details['respellings'])})" if pairs else ""
    text = (
        f"{details['style']:,} of {count(details['errors'], 'word error')} on {manifest} are only spelling{examples}; "
        f"without them WER is {percent(details['wer_without'], details['floor'])}"
    )
    if result.reason == "only_spelling":
        text += f", not above the floor of {round_percent(details['floor'])}: the headroom is only spelling"
    return f"{text}."


WHY_UNKNOWN = {
    "not_computed": "the baseline's errors were not classified",
    "no_training_transcripts": "there are no training transcripts to compare words with",
    "no_candidate": "there is no candidate to compare with",
    "no_independent_candidate": "no candidate differs enough from the baseline for its agreement to count",
}


def references(result: CheckResult | CauseResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason in WHY_UNKNOWN:
        return f"Whether references of {manifest} are wrong is unknown: {WHY_UNKNOWN[result.reason]}."
    share = percent(details["suspected_rows"] / max(details["rows"], 1), details["tolerated"])
    rows = f"{details['suspected_rows']:,} of {count(details['rows'], 'row')} of {manifest} ({share})"
    if result.reason == "ok":
        return f"{rows} have a suspected reference error (tolerated: {round_percent(details['tolerated'])})."
    if result.reason == "mismatched_transcripts":
        return f"{rows} have a suspected reference error, as expected where transcripts are mismatched."
    if result.reason == "by_chance":
        return (
            f"{rows} have a word on which all runs contradict the reference, no more than by chance: they also repeat "
            f"{percent(details['repeated_share'])} of the baseline's other errors."
        )
    pairs = [f'{place["id"]}: "{place["reference"]}" as "{place["hypothesis"]}"' for place in details["places"]]
    return (
        f"{rows} have a suspected reference error: {listed(details['runs'], 5)} all transcribe the same other word there and "
        f"the words around it as written ({named(pairs, details['listed_places'])}). At least {points(details['wer'])} of WER "
        "cannot be removed by tuning."
    )


def correct_references(result: CauseResult) -> str:
    return f"Listen to the rows listed in {result.details['file']} and correct their transcripts."


def reachable(result: CheckResult) -> str:
    details, manifest = result.details, result.manifest
    if result.reason == "not_computed":
        return f"How much of the WER on {manifest} tuning could remove was not computed."
    target = round_points(details["target"])
    verdict = f"the target gain of {target} is within reach"
    if result.reason == "out_of_reach":
        verdict = f"the target gain of {target} is out of reach"
    elif result.reason == "needs_new_words":
        verdict = (
            f"the target gain of {target} is within reach only with words that are not in the training transcripts "
            f"(without them {points(details['known_words'])} remain)"
        )
    return (
        f"Tuning could remove at most {points(details['reach'])} of the baseline WER of {percent(details['wer'])} on "
        f"{manifest}, so {verdict}. Of all errors, {_parts(details)}."
    )


def _parts(details: Details) -> str:
    parts = [f"{points(details['style'])} are only spelling"]
    suspected = details["suspected_references"]
    if suspected is None:
        parts.append("suspected reference errors are unknown")
    else:
        parts.append(f"{points(suspected)} are suspected reference errors")
    if details["out_of_vocabulary"] is None:
        parts.append("out-of-vocabulary words are unknown")
    else:
        words = [f"{one['word']} ({one['count']})" for one in details["words"]]
        examples = f" ({named(words, details['listed_words'])})" if words else ""
        parts.append(f"{points(details['out_of_vocabulary'])} are words not in the training transcripts{examples}")
    if details["agreed"] is not None:
        parts.append(f"{points(details['agreed'])} are repeated by every candidate")
    return "; ".join(parts)


# Power.


def power(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = f"{result.manifest} ({count(details['utterances'], 'utterance')})"
    if details["detectable"] is None:
        return f"{manifest} is too small to estimate the difference that it could show."
    spread = f", by the observed spread of {details['spread_of']}" if details["spread_of"] else ""
    enough = "large enough" if details["detectable"] <= details["target"] else "too small"
    text = (
        f"{points(details['detectable'], details['target'])} is the smallest WER difference that {manifest} can show"
        f"{spread}: {enough} for the target gain of {round_points(details['target'])}."
    )
    if result.reason == "decided":
        text += f" The gate run's own difference is decided ({details['outcome']}); smaller ones between sweep runs may not be."
    return text


def add_utterances(result: CauseResult) -> str:
    add, manifest = result.details["add"], result.manifest
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
    "headroom.style": style,
    "headroom.references": references,
    "headroom.reachable": reachable,
    "headroom.power": power,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "headroom.saturated": saturated,
    "headroom.baseline_broken": baseline_works,
    "headroom.reference_noise": references,
    "headroom.underpowered": power,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "headroom.saturated": find_headroom,
    "headroom.baseline_broken": fix_baseline,
    "headroom.reference_noise": correct_references,
    "headroom.underpowered": add_utterances,
}
