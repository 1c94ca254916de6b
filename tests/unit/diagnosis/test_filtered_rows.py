"""Rows removed by the duration filter: a random loss is no bias, the loss of a kind of speech is."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import retention


def set_dropped(study: HealthyStudy, **changes: Any) -> None:
    study.files["durations/retention.json"] = retention(**changes)


def signs(study: HealthyStudy) -> list[dict[str, Any]]:
    cause = cause_of(study.verdict(), "data.filter_biased")
    listed: list[dict[str, Any]] = cause.details["signs"]
    return listed


def test_words_lost_as_in_a_random_sample_are_no_bias(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.filtered_rows")
    assert (check.status, check.reason, check.value, check.details["lost_words"]) == ("pass", "ok", 0, 14)


def test_lost_speakers_are_named(study: HealthyStudy) -> None:
    set_dropped(study, lost_speakers=["ann", "bob"])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.filter_biased")
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "train", "speakers_lost")
    assert cause.details["signs"] == [
        {"sign": "speakers_lost", "lost": 2, "speakers": 40, "expected": 0.1, "names": ["ann", "bob"]}
    ]
    assert (cause.details["rows"], cause.details["max_seconds"]) == (85, 10)
    assert cause.evidence == ["results/durations/retention.json"]
    assert verdict.ready_for_sweep is True
    assert check_of(verdict, "data.filtered_rows").status == "fail"


def test_a_speaker_with_many_rows_counts_among_many_with_few(study: HealthyStudy) -> None:
    set_dropped(study, lost_speakers=["ann", "bob"], lost_speaker_probabilities=[0.2, 1e-9], expected_lost_speakers=1.9)
    assert signs(study) == [{"sign": "speakers_removed", "speakers": 40, "names": ["bob"]}]
    set_dropped(study, lost_speakers=["ann", "bob"], lost_speaker_probabilities=[0.2, 0.01], expected_lost_speakers=1.9)
    assert "data.filter_biased" not in codes(study.verdict())


def test_lost_words_are_named(study: HealthyStudy) -> None:
    set_dropped(study, lost_word_count=40, lost_word_share=0.05)
    (sign,) = signs(study)
    assert (sign["sign"], sign["lost"], sign["share"], sign["names"]) == ("words_lost", 40, 0.05, ["capstan", "hawser"])


def test_another_speaking_rate_is_reported(study: HealthyStudy) -> None:
    set_dropped(study, dropped_words_per_second=1.5)
    assert signs(study) == [{"sign": "speaking_rate", "removed": 1.5, "remaining": 2.7}]


@pytest.mark.parametrize(
    "changes",
    [
        {"lost_speakers": ["a", "b"], "expected_lost_speakers": 1.5},  # speakers with one or two rows
        {
            "lost_word_count": 200,
            "expected_lost_word_count": 195.0,
            "lost_word_share": 0.2,
            "expected_lost_word_share": 0.19,
        },
        {"dropped_words_per_second": 1.5, "rows": 5},
        {"dropped_words_per_second": None, "rows": 0},
    ],
)
def test_what_chance_explains_is_no_bias(study: HealthyStudy, changes: dict[str, Any]) -> None:
    set_dropped(study, **changes)
    assert "data.filter_biased" not in codes(study.verdict())


def test_an_uncomputed_limit_is_unknown_and_without_a_limit_there_is_no_check(study: HealthyStudy) -> None:
    study.change("max_seconds.json", {"max_seconds": 12.0})
    check = check_of(study.verdict(), "data.filtered_rows")
    assert (check.status, check.reason, check.details["missing"]) == ("unknown", "not_computed", "inputs")
    study.change("max_seconds.json", {"max_seconds": None})
    assert not [c for c in study.verdict().checks if c.id == "data.filtered_rows"]
