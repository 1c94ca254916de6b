"""D1: what the duration filter takes away."""

from __future__ import annotations

from lora.records import RetentionFacts
from lora.report.study import Study
from lora.report.tables import table
from lora.report.wording import UNKNOWN, listed, number, percent, seconds, text


def filter_losses(study: Study) -> str:
    """Who and what each threshold takes out of training, beside what a lottery would."""
    found = study.find("durations/retention.json", RetentionFacts)
    if found.value is None:
        return f"Who and what the filter takes away is {found.unknown}."
    rows = [
        [
            f"> {seconds(part.threshold)}",
            str(part.rows),
            number(part.hours, 3),
            f"{len(part.lost_speakers)} ({part.expected_lost_speakers:.1f})",
            f"{part.lost_word_count} ({part.expected_lost_word_count:.0f})",
            percent(part.lost_word_share),
            f"{_rate(part.kept_rate)} / {_rate(part.dropped_rate)}",
            listed([text(name) for name in [*part.lost_speakers, *part.lost_words]], most=4),
        ]
        for part in found.value.dropped
    ]
    headers = ["without rows", "rows", "hours", "speakers lost (by lot)", "words lost (by lot)", "of what is said"]
    headers += ["words a second kept / dropped", "such as"]
    told = "What each threshold takes away, beside what dropping as many rows by lot would take:"
    return f"{told}\n\n{table(headers, rows, numbers=range(1, 7))}"


def _rate(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.2f}"
