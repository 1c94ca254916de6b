"""How much WER tuning could remove, and suspected reference errors."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

PLACES = [{"id": f"domain-{i}", "at": 2, "reference": "kettle", "hypothesis": f"word{i}"} for i in range(12)]


def suspect(study: HealthyStudy, rows: int, manifest: str = "domain") -> None:
    changes = {"suspected_errors": rows, "suspected_rows": rows, "suspected_references": PLACES[:rows]}
    study.change(f"reachable/{manifest}.json", changes)


def test_a_healthy_study_has_reachable_errors_and_no_reference_noise(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert "headroom.reference_noise" not in codes(verdict)
    assert check_of(verdict, "headroom.references", manifest="domain").status == "pass"
    check = check_of(verdict, "headroom.reachable", manifest="domain")
    assert (check.status, check.value) == ("pass", pytest.approx(899 / 2400))
    expected = {
        "wer": 900 / 2400,
        "reach": 899 / 2400,
        "target": 0.01,
        "style": 0,
        "suspected_references": 1 / 2400,
        "out_of_vocabulary": 10 / 2400,
        "words": [{"word": "tarpaulins", "count": 2}],
        "agreed": 150 / 2400,
    }
    assert check.details == check.details | expected


def test_suspected_references_warn_and_name_rows_and_words(study: HealthyStudy) -> None:
    suspect(study, 12)
    verdict = study.verdict()
    cause = cause_of(verdict, "headroom.reference_noise")
    assert (cause.severity, cause.manifest, cause.evidence) == ("warns", "domain", ["results/reachable/domain.json"])
    details = cause.details
    assert (details["suspected_rows"], details["rows"], details["runs"]) == (12, 200, ["base", "lora"])
    assert details["places"][0] == {"id": "domain-0", "reference": "kettle", "hypothesis": "word0"}
    assert details["wer"] == 12 / 2400
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(("manifest", "rows"), [("domain", 6), ("test", 2)])
def test_as_many_as_are_tolerated_or_two_rows_of_twelve_are_no_noise(
    study: HealthyStudy, manifest: str, rows: int
) -> None:
    suspect(study, rows, manifest)
    assert "headroom.reference_noise" not in codes(study.verdict())


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"candidates": [], "agreed": None}, "no_candidate"),
        ({"agreed": None}, "no_independent_candidate"),
        ({"training_words": None, "out_of_vocabulary": None}, "no_training_transcripts"),
    ],
)
def test_missing_inputs_are_named(study: HealthyStudy, changes: dict[str, Any], reason: str) -> None:
    study.change(
        "reachable/domain.json",
        {"suspected_errors": None, "suspected_rows": None, "suspected_references": [], **changes},
    )
    verdict = study.verdict()
    check = check_of(verdict, "headroom.references", manifest="domain")
    assert (check.status, check.reason) == ("unknown", reason)
    assert check_of(verdict, "headroom.reachable", manifest="domain").status == "pass"
    assert verdict.ready_for_sweep is True


def test_without_facts_nothing_is_claimed(study: HealthyStudy) -> None:
    study.remove("reachable/")
    verdict = study.verdict()
    for id in ("headroom.references", "headroom.style", "headroom.reachable"):
        assert check_of(verdict, id, manifest="domain").status == "unknown"
    assert verdict.ready_for_sweep is True


def test_headroom_of_spelling_alone_warns(study: HealthyStudy) -> None:
    respelled = [{"reference": "ice cream", "hypothesis": "icecream", "errors": 400}]
    study.change(
        "reachable/domain.json",
        {"style": 800, "out_of_vocabulary": 0, "agreed": 0, "rest": 100, "respelled": respelled},
    )
    cause = next(c for c in study.verdict().causes if c.code == "headroom.saturated" and c.manifest == "domain")
    assert (cause.severity, cause.reason) == ("warns", "only_spelling")
    assert (cause.details["style"], cause.details["errors"]) == (800, 900)
    assert cause.details["respelled"] == [{"reference": "ice cream", "hypothesis": "icecream"}]


def test_a_target_that_needs_out_of_vocabulary_words_warns(study: HealthyStudy) -> None:
    study.change("reachable/domain.json", {"out_of_vocabulary": 890, "agreed": 0, "rest": 10})
    check = check_of(study.verdict(), "headroom.reachable", manifest="domain")
    assert (check.status, check.reason) == ("warn", "needs_new_words")
    assert check.details["known_words"] == pytest.approx(9 / 2400)


def test_a_target_out_of_reach_warns(study: HealthyStudy) -> None:
    study.configure({"statistics": {"target_gain": 0.4}})
    check = check_of(study.verdict(), "headroom.reachable", manifest="domain")
    assert (check.status, check.reason) == ("warn", "out_of_reach")


@pytest.mark.parametrize(("repeated", "warned"), [(0.1, True), (0.7, False)])
def test_a_candidate_that_repeats_most_errors_repeats_these_too(
    study: HealthyStudy, repeated: float, warned: bool
) -> None:
    """After a step or two a candidate is nearly the baseline: its agreement is that of the base with itself."""
    suspect(study, 12)
    study.files["reachable/domain.json"] |= {
        "questionable_places": 16,
        "confirmed_places": 12,
        "repeated_share": repeated,
    }
    verdict = study.verdict()
    assert ("headroom.reference_noise" in codes(verdict)) is warned
    assert check_of(verdict, "headroom.references", manifest="domain").status == ("warn" if warned else "pass")
