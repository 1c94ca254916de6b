"""Sentences of the headroom checks."""

from __future__ import annotations

import pytest
from healthy import HealthyStudy, cause_of, check_of
from test_headroom_causes import saturate, set_paired, set_wer
from test_review_causes import add_review, scores


@pytest.mark.parametrize(
    ("wer", "low", "high", "words"),
    [
        (0.20, 0.15, 0.25, "above the floor of 5 % with its whole interval."),
        (0.055, 0.048, 0.062, "above the floor of 5 %, but its interval reaches it."),
        (0.20, None, None, "above the floor of 5 % (confidence unknown)."),
        (
            0.045,
            0.04,
            0.052,
            "not above the floor of 5 %, but its interval reaches above it: no adapter can show a gain",
        ),
        (0.02, 0.01, 0.03, "not above the floor of 5 % with its whole interval: no adapter can show a gain here."),
    ],
)
def test_both_ends_of_the_interval(
    study: HealthyStudy, wer: float, low: float | None, high: float | None, words: str
) -> None:
    set_wer(study, "domain", wer, low, high)
    assert words in check_of(study.verdict(), "headroom.baseline", manifest="domain").summary


def test_a_saturated_manifest_and_its_harder_version(study: HealthyStudy) -> None:
    saturate(study)
    version = {"distortion": "noise", "level": 10.0, "utterances": 200, "wer": 0.14, "ci_low": 0.1, "ci_high": 0.2}
    study.files["hardened.json"] = {
        "status": "measured",
        "manifest": "domain",
        "proposed": "domain-noise-10",
        "versions": [version],
    }
    remedy = study.verdict().causes[0].remedy
    assert "the harder version domain-noise-10 (baseline WER 14.0 %): write it with `python -m" in remedy


def test_an_unscored_manifest(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"utterances": 0, "words": 0, "wer": None}})
    assert check_of(study.verdict(), "headroom.baseline", manifest="domain").summary == (
        "The baseline WER on domain is unknown: none of its 200 rows is within `max_seconds` (10 s). Provide rows with "
        "words, within `max_seconds`, and a baseline transcript of each."
    )


def test_a_broken_baseline(study: HealthyStudy) -> None:
    loops = [{"id": f"domain-{i}", "words": "and then", "times": 20 + i} for i in range(11)]
    study.change("wer/base/domain.json", {"loops": loops, "within": {"truncated": 30, "deletions": 1300}})
    cause = cause_of(study.verdict(), "headroom.baseline_broken")
    assert cause.because == (
        "The baseline does not work on domain: 30 of 200 hypotheses (15.0 %) are truncated by the token cap; 11 of 200 "
        'hypotheses (5.5 %) loop (domain-10: "and then" 30 times, domain-9: "and then" 29 times, domain-8: "and then" '
        "28 "
        "times and 8 more); hypotheses have 45.8 % as many words as the references (expected: at least 50 %)."
    )
    assert cause.remedy.endswith("the model works on heldout (WER 1.5 %).")


def test_power(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "better", "detectable_difference": 0.037})
    verdict = study.verdict()
    assert check_of(verdict, "headroom.power", manifest="domain").summary == (
        "3.70 points is the smallest difference in error rate that domain (200 utterances) can show, by the "
        "observed spread of lora: "
        "too small for the target gain of 1 point. The gate run's own difference is decided (better); smaller ones "
        "between "
        "sweep runs may not be."
    )
    assert cause_of(verdict, "headroom.underpowered").remedy == (
        "test is no way to decide a difference of 1 point: it would take more than 20 times its rows. Evaluate on "
        "another, larger set of the target domain, or set `statistics.target_gain` to a difference that the set can "
        "show."
    )


def test_reachable_errors(study: HealthyStudy) -> None:
    assert check_of(study.verdict(), "headroom.reachable", manifest="domain").summary == (
        "Tuning could remove at most 37.46 points of the baseline WER of 37.5 % on domain, so the target gain of 1 "
        "point is "
        "within reach. Of all errors, 0 points are only spelling; 0.04 points are suspected reference errors; 0.42 "
        "points "
        "are words not in the training transcripts (tarpaulins (2)); 6.25 points are repeated by every candidate."
    )


def test_reviewed_references(study: HealthyStudy) -> None:
    add_review(study, scores=scores(0.03))
    assert check_of(study.verdict(), "headroom.reviews").summary == (
        "With corrected references the baseline WER on domain is 3.0 %, not above the floor of 5 % (37.5 % with the "
        "references as given): the headroom is reference errors. 2 of 30 judged rows of domain have a wrong "
        "reference; these references cause 5 of 900 errors of the baseline. In the random sample 2 of 20 rows have "
        "a wrong one (10.0 %; 95 % interval 1.0 to 40.0 %)."
    )
