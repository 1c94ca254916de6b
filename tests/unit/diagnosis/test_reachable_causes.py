"""What tuning could reach, and references to be doubted."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

PLACES = [{"id": f"domain-{i}", "at": 2, "reference": "kettle", "hypothesis": f"word{i}"} for i in range(12)]


def doubt(study: HealthyStudy, rows: int, manifest: str = "domain") -> None:
    changes = {"suspected_errors": rows, "suspected_rows": rows, "suspected_references": PLACES[:rows]}
    study.change(f"reachable/{manifest}.json", changes)


def test_a_healthy_study_has_reachable_errors_and_no_doubtful_reference(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert "headroom.reference_noise" not in codes(verdict)
    assert check_of(verdict, "headroom.references", manifest="domain").status == "pass"
    check = check_of(verdict, "headroom.reachable", manifest="domain")
    assert (check.status, check.value) == ("pass", pytest.approx(899 / 2400))
    assert check.summary == (
        "The target gain of 1 point is within reach. "
        "Of the baseline's 37.5 % on domain tuning could mend at most 37.46 points: 0 points are only spelling; "
        "0.04 points stand in doubtful references; 0.42 points are words that training never holds (tarpaulins (2)); "
        "in 6.25 points every candidate still writes what the baseline writes."
    )


def test_suspected_references_warn_and_name_rows_and_words(study: HealthyStudy) -> None:
    doubt(study, 12)
    verdict = study.verdict()
    cause = cause_of(verdict, "headroom.reference_noise")
    assert (cause.severity, cause.manifest, cause.evidence) == ("warns", "domain", ["results/reachable/domain.json"])
    assert "12 of 200 rows of domain (6.0 %)" in cause.because
    assert "base and lora alike" in cause.because
    assert 'domain-0: "kettle" heard as "word0"' in cause.because
    assert "0.50 points of WER" in cause.because
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(("manifest", "rows"), [("domain", 6), ("test", 2)])
def test_as_many_as_are_tolerated_or_two_rows_of_twelve_are_no_noise(
    study: HealthyStudy, manifest: str, rows: int
) -> None:
    doubt(study, rows, manifest)
    assert "headroom.reference_noise" not in codes(study.verdict())


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"candidates": [], "agreed": None}, "there is no candidate"),
        ({"agreed": None}, "no candidate differs enough from the baseline"),
        ({"training_words": None, "out_of_vocabulary": None}, "there is no training text"),
    ],
)
def test_what_cannot_be_known_is_unknown(study: HealthyStudy, changes: dict[str, Any], why: str) -> None:
    study.change(
        "reachable/domain.json",
        {"suspected_errors": None, "suspected_rows": None, "suspected_references": [], **changes},
    )
    verdict = study.verdict()
    check = check_of(verdict, "headroom.references", manifest="domain")
    assert check.status == "unknown"
    assert why in check.summary
    assert check_of(verdict, "headroom.reachable", manifest="domain").status == "pass"
    assert verdict.ready_for_sweep is True


def test_without_facts_nothing_is_claimed(study: HealthyStudy) -> None:
    study.remove("reachable/")
    verdict = study.verdict()
    for id in ("headroom.references", "headroom.style", "headroom.reachable"):
        assert check_of(verdict, id, manifest="domain").status == "unknown"
    assert verdict.ready_for_sweep is True


def test_headroom_that_is_only_spelling_is_none(study: HealthyStudy) -> None:
    respelled = [{"reference": "ice cream", "hypothesis": "icecream", "errors": 400}]
    study.change(
        "reachable/domain.json",
        {"style": 800, "out_of_vocabulary": 0, "agreed": 0, "rest": 100, "respelled": respelled},
    )
    cause = next(c for c in study.verdict().causes if c.code == "headroom.saturated" and c.manifest == "domain")
    assert cause.severity == "warns"
    assert '800 of 900 word errors on domain are only spelling ("ice cream" as "icecream")' in cause.because
    assert "references of domain" in cause.remedy


def test_a_target_that_needs_words_never_heard_warns(study: HealthyStudy) -> None:
    study.change("reachable/domain.json", {"out_of_vocabulary": 890, "agreed": 0, "rest": 10})
    check = check_of(study.verdict(), "headroom.reachable", manifest="domain")
    assert check.status == "warn"
    assert (
        "is within reach only with words that training never holds; without them 0.37 points are left." in check.summary
    )


def test_a_target_out_of_reach_warns(study: HealthyStudy) -> None:
    study.configure({"statistics": {"target_gain": 0.4}})
    check = check_of(study.verdict(), "headroom.reachable", manifest="domain")
    assert check.status == "warn"
    assert check.summary.startswith("The target gain of 40 points is out of reach. ")


@pytest.mark.parametrize(("repeated", "warned"), [(0.1, True), (0.7, False)])
def test_a_candidate_that_repeats_most_errors_repeats_these_too(
    study: HealthyStudy, repeated: float, warned: bool
) -> None:
    """After a step or two a candidate is nearly the baseline: its agreement is that of the base with itself."""
    doubt(study, 12)
    study.files["reachable/domain.json"] |= {
        "questionable_places": 16,
        "confirmed_places": 12,
        "repeated_share": repeated,
    }
    verdict = study.verdict()
    assert ("headroom.reference_noise" in codes(verdict)) is warned
    assert check_of(verdict, "headroom.references", manifest="domain").status == ("warn" if warned else "pass")
