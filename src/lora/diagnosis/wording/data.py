"""Sentences of the data checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lora.diagnosis.findings import CauseResult, CheckResult
from lora.formatting import count, listed, percent, seconds


def filtered_rows(result: CheckResult | CauseResult) -> str:
    details = result.details
    limit = seconds(details["max_seconds"])
    if result.reason == "not_computed":
        return f"What a limit of {limit} removes from training was not computed."
    if result.reason == "ok":
        return (
            f"{count(details['lost_speakers'], 'speaker')} and {count(details['lost_words'], 'word')} "
            f"({percent(details['lost_word_share'])} of all running words) occur only in the "
            f"{count(details['rows'], 'row')} longer than {limit}, about as many as in a random sample of that size."
        )
    sentences = [FILTER_SIGNS[sign["sign"]](sign) for sign in details["signs"]]
    return f"Without rows longer than {limit}, training {'; it '.join(sentences)}."


def _speakers_lost(sign: dict[str, Any]) -> str:
    names = listed(sign["names"], most=5)
    return f"loses {sign['lost']} of {count(sign['speakers'], 'speaker')} ({names}; {sign['expected']:.1f} by chance)"


def _speakers_removed(sign: dict[str, Any]) -> str:
    return (
        f"loses all of the many rows of {listed(sign['names'], most=5)} ({count(sign['speakers'], 'speaker')} in all)"
    )


def _words_lost(sign: dict[str, Any]) -> str:
    names = f"{listed(sign['names'], most=5)}; " if sign["names"] else ""
    return (
        f"loses {count(sign['lost'], 'word')} that make up {percent(sign['share'])} of all running words "
        f"({names}{percent(sign['expected_share'])} by chance)"
    )


def _rate(sign: dict[str, Any]) -> str:
    manner = "slower" if sign["removed"] < sign["remaining"] else "faster"
    return (
        f"loses {manner} speech ({sign['removed']:.2f} words per second against {sign['remaining']:.2f} in the rows "
        "that remain)"
    )


FILTER_SIGNS: dict[str, Callable[[dict[str, Any]], str]] = {
    "speakers_lost": _speakers_lost,
    "speakers_removed": _speakers_removed,
    "words_lost": _words_lost,
    "speaking_rate": _rate,
}


def cut_filtered_rows(result: CauseResult) -> str:
    rows = count(result.details["rows"], "row")
    limit = seconds(result.details["max_seconds"])
    return (
        f"Cut the {rows} longer than {limit} into shorter ones with their own transcripts, or add shorter rows of the "
        "same kind."
    )


SUMMARIES: dict[str, Callable[[CheckResult], str]] = {
    "data.filtered_rows": filtered_rows,
}
BECAUSE: dict[str, Callable[[CauseResult], str]] = {
    "data.filter_biased": filtered_rows,
}
REMEDIES: dict[str, Callable[[CauseResult], str | None]] = {
    "data.filter_biased": cut_filtered_rows,
}
