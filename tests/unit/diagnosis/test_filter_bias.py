"""D1: a filter that only makes training smaller is green, one that takes a kind of speech away is named."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import retention


def judged(study: HealthyStudy, **changes: Any) -> None:
    study.files["durations/retention.json"] = retention(**changes)


def test_words_lost_as_by_lot_are_no_bias(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.filter_bias")
    assert check.status == "pass"
    assert "about as many as by lot" in check.summary


def test_speakers_who_vanish_are_named(study: HealthyStudy) -> None:
    judged(study, lost_speakers=["ann", "bob"])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.filter_biased")
    assert (cause.severity, cause.manifest) == ("warns", "train")
    assert "never hears 2 of 40 speakers (ann and bob; 0.1 by lot)" in cause.because
    assert "Cut the 85 rows longer than 10 s" in cause.remedy
    assert cause.evidence == ["results/durations/retention.json"]
    assert verdict.ready_for_sweep is True


def test_one_speaker_of_many_rows_is_not_hidden_by_many_of_few(study: HealthyStudy) -> None:
    judged(study, lost_speakers=["ann", "bob"], lost_speaker_probabilities=[0.2, 1e-9], expected_lost_speakers=1.9)
    assert "never hears bob of 40 speakers, all of whose many rows are long" in (
        cause_of(study.verdict(), "data.filter_biased").because
    )
    judged(study, lost_speakers=["ann", "bob"], lost_speaker_probabilities=[0.2, 0.01], expected_lost_speakers=1.9)
    assert "data.filter_biased" not in codes(study.verdict())


def test_words_that_vanish_are_named(study: HealthyStudy) -> None:
    judged(study, lost_word_count=40, lost_word_share=0.05)
    assert "40 words that make up 5.0 % of what is said (capstan and hawser" in (
        cause_of(study.verdict(), "data.filter_biased").because
    )


def test_another_way_of_speaking_is_told(study: HealthyStudy) -> None:
    judged(study, dropped_words_per_second=1.5)
    assert "slower speech (1.50 words a second against 2.70" in (
        cause_of(study.verdict(), "data.filter_biased").because
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"lost_speakers": ["a", "b"], "expected_lost_speakers": 1.5},  # speakers of a row or two
        {"lost_word_count": 200, "expected_lost_word_count": 195.0, "lost_word_share": 0.2,
         "expected_lost_word_share": 0.19},
        {"dropped_words_per_second": 1.5, "rows": 5},
        {"dropped_words_per_second": None, "rows": 0},
    ],
)  # fmt: skip
def test_what_chance_explains_is_no_bias(study: HealthyStudy, changes: dict[str, Any]) -> None:
    judged(study, **changes)
    assert "data.filter_biased" not in codes(study.verdict())


def test_a_limit_nobody_looked_at_is_unknown_and_no_limit_asks_nothing(study: HealthyStudy) -> None:
    study.change("max_seconds.json", {"max_seconds": 12.0})
    assert check_of(study.verdict(), "data.filter_bias").status == "unknown"
    study.change("max_seconds.json", {"max_seconds": None})
    assert not [c for c in study.verdict().checks if c.id == "data.filter_bias"]
