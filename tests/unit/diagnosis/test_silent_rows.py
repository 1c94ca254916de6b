"""Rows with an empty transcript: silence, or a transcript that was lost."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy

TEXTS = [f"they sold {number} of the lanterns today" for number in range(100)]


def empty(study: HealthyStudy, texts: list[str]) -> None:
    """Empty the transcripts of the first domain rows, into which the baseline writes `texts`."""
    rows: Any = study.files["wer/base/domain.json"]["utterances"]
    for row, text in zip(rows, texts, strict=False):
        words = text.split()
        row |= {"words": 0, "hits": 0, "substitutions": 0, "deletions": 0, "insertions": len(words)}
        row["edits"] = [[0, None, word] for word in words]


def found(study: HealthyStudy) -> list[tuple[str, str, str]]:
    return [(c.code, c.severity, c.reason) for c in study.verdict().causes if c.manifest == "domain"]


def test_a_healthy_study_has_no_such_check(study: HealthyStudy) -> None:
    assert not [check for check in study.verdict().checks if check.id == "data.silent_rows"]


@pytest.mark.parametrize(("rows", "severity"), [(15, "blocks"), (3, "warns")])
def test_different_texts_at_the_usual_rate_are_speech(study: HealthyStudy, rows: int, severity: str) -> None:
    empty(study, TEXTS[:rows])
    assert ("data.empty_transcripts", severity, "speech") in found(study)
    (check,) = [check for check in study.verdict().checks if check.id == "data.silent_rows"]
    assert check.value == rows


@pytest.mark.parametrize(
    "texts",
    [
        [""] * 30,
        ["you"] * 30,
        ["thank you for watching this video today"] * 30,
        TEXTS[:2],
        [f"no {n}" for n in range(30)],
    ],
    ids=["nothing", "one word", "one phrase", "two rows", "too few words"],
)
def test_what_models_write_into_silence_is_no_speech(study: HealthyStudy, texts: list[str]) -> None:
    empty(study, texts)
    assert "data.empty_transcripts" not in {code for code, _, _ in found(study)}


def test_lost_transcripts_explain_inserted_words_and_a_wide_interval(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"insertions": 1200, "errors": 2000, "wer": 0.83}})
    study.change("paired/lora/domain.json", {"within": {"outcome": "underpowered", "detectable_difference": 0.2}})
    assert {"headroom.baseline_broken", "headroom.underpowered"} <= {code for code, _, _ in found(study)}
    empty(study, TEXTS)
    codes = {code for code, _, _ in found(study)}
    assert "data.empty_transcripts" in codes
    assert not codes & {"headroom.baseline_broken", "headroom.underpowered"}
