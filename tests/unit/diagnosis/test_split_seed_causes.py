"""Other split seeds: too few rows or too many held-out speakers with any of them warn."""

from __future__ import annotations

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import stability


def test_seeds_that_agree_pass(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.split_seeds")
    assert (check.status, check.value, check.threshold) == ("pass", 230, 200)
    assert (check.details["seeds"], check.details["held_out"]) == (20, pytest.approx(0.1))


def test_a_seed_that_leaves_too_few_rows_warns(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_rows=199)
    verdict = study.verdict()
    cause = cause_of(verdict, "data.unstable_split")
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "train", "too_few_rows")
    assert cause.details["signs"] == ["too_few_rows"]
    assert (cause.details["short_seeds"], cause.details["fewest_rows_seed"], cause.details["fewest_rows"]) == (
        1,
        32,
        199,
    )
    assert verdict.ready_for_sweep is True
    study.files["splits/stability.json"] = stability(train_rows=200)
    assert "data.unstable_split" not in codes(study.verdict())


def test_a_seed_that_keeps_speakers_out_warns(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_speakers=20)
    details = cause_of(study.verdict(), "data.unstable_split").details
    assert details["signs"] == ["speakers_held_out"]
    assert (details["held_out_seed"], details["held_out"], details["speakers"]) == (32, 0.5, 40)
    assert details["tolerated_held_out"] == 0.34
    study.files["splits/stability.json"] = stability(train_speakers=27)
    assert "data.unstable_split" not in codes(study.verdict())


def test_a_stable_limit_is_proposed(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_rows=199)
    study.change("durations/decision.json", {"stable": 15.0})
    assert cause_of(study.verdict(), "data.unstable_split").details["stable_max_seconds"] == 15
    study.change("durations/decision.json", {"stable": 10.0})
    assert cause_of(study.verdict(), "data.unstable_split").details["stable_max_seconds"] is None


def test_unknown_speakers_cannot_be_held_out(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_speakers=None) | {"speakers": None}
    assert check_of(study.verdict(), "data.split_seeds").status == "pass"


def test_no_check_where_rows_are_too_few_anyway_and_unknown_without_facts(study: HealthyStudy) -> None:
    starved = stability()
    starved["splits"][0]["train_rows"] = 150
    study.files["splits/stability.json"] = starved
    assert not [c for c in study.verdict().checks if c.id == "data.split_seeds"]
    (study.results / "splits/stability.json").unlink()
    study.remove("splits/")
    assert check_of(study.verdict(), "data.split_seeds").status == "unknown"
