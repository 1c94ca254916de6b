"""Sentences about the baseline's errors: spelling, suspected references and what tuning could remove."""

from __future__ import annotations

from collections.abc import Callable

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.diagnosis.wording.names import Details, named
from lora.formatting import configured_percent, configured_points, count, listed, percent, points, rate_name


def style(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_computed":
        return f"How many errors on {manifest} are only spelling was not computed."
    pairs = [f'"{pair["reference"]}" as "{pair["hypothesis"]}"' for pair in details["respelled"]]
    examples = f" ({named(pairs, details['respellings'])})" if pairs else ""
    text = (
        f"{details['style']:,} of {count(details['errors'], 'word error')} on {manifest} are only spelling{examples}; "
        f"without them WER is {percent(details['wer_without'], details['floor'])}"
    )
    if result.reason == "only_spelling":
        text += f", not above the floor of {configured_percent(details['floor'])}: the headroom is only spelling"
    return f"{text}."


WHY_UNKNOWN = {
    "not_computed": "the baseline's errors were not classified",
    "no_training_transcripts": "there are no training transcripts to compare words with",
    "no_candidate": "there is no candidate to compare with",
    "no_independent_candidate": "no candidate differs enough from the baseline for its agreement to count",
}


def references(result: CheckResult | CauseResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason in WHY_UNKNOWN:
        return f"Whether references of {manifest} are wrong is unknown: {WHY_UNKNOWN[result.reason]}."
    share = percent(details["suspected_rows"] / max(details["rows"], 1), details["tolerated"])
    rows = f"{details['suspected_rows']:,} of {count(details['rows'], 'row')} of {manifest} ({share})"
    if result.reason == "ok":
        return f"{rows} have a suspected reference error (tolerated: {configured_percent(details['tolerated'])})."
    if result.reason == "mismatched_transcripts":
        return f"{rows} have a suspected reference error, as expected where transcripts are mismatched."
    if result.reason == "by_chance":
        return (
            f"{rows} have a word on which all runs contradict the reference, no more than by chance: they also repeat "
            f"{percent(details['repeated_share'])} of the baseline's other errors."
        )
    judged = details.get("judged")
    if judged and result.reason == "refuted":
        return (
            f"{rows} have a suspected reference error, and listeners found the references of {judged['refuted']:,} of "
            "them right."
        )
    confirmed = f" Listeners found {judged['confirmed']:,} of them wrong so far." if judged else ""
    pairs = [f'{place["id"]}: "{place["reference"]}" as "{place["hypothesis"]}"' for place in details["places"]]
    return (
        f"{rows} have a suspected reference error: {listed(details['runs'], 5)} all transcribe the same other word "
        "there and "
        f"the words around it as written ({named(pairs, details['listed_places'])}). At least {points(details['wer'])} "
        "of WER "
        f"cannot be removed by tuning.{confirmed}"
    )


def correct_references(result: CauseResult) -> str:
    return f"Listen to the rows listed in {result.details['file']} and correct their transcripts."


def reachable(result: CheckResult) -> str:
    details = result.details
    manifest = result.manifest
    if result.reason == "not_computed":
        return f"How much of the WER on {manifest} tuning could remove was not computed."
    target = configured_points(details["target"])
    verdict = f"the target gain of {target} is within reach"
    if result.reason == "out_of_reach":
        verdict = f"the target gain of {target} is out of reach"
    elif result.reason == "needs_new_words":
        verdict = (
            f"the target gain of {target} is within reach only with words that are not in the training transcripts "
            f"(without them {points(details['known_words'])} remain)"
        )
    rate = rate_name(details.get("unit", "words"))
    return (
        f"Tuning could remove at most {points(details['reach'])} of the baseline {rate} of {percent(details['wer'])} "
        f"on {manifest}, so {verdict}. Of all errors, {_parts(details)}."
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


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "headroom.style": style,
    "headroom.references": references,
    "headroom.reachable": reachable,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {"headroom.reference_noise": references}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {"headroom.reference_noise": correct_references}
