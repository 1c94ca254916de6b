"""D1: a split that every seed makes alike is green, one that a lucky seed carries is named."""

from __future__ import annotations

from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import stability


def test_seeds_that_agree(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "data.split_seeds")
    assert (check.status, check.value, check.threshold) == ("pass", 230, 200)
    assert "keep at most 10.0 % of the speakers out" in check.summary


def test_a_seed_that_leaves_too_few_rows(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_rows=199)
    verdict = study.verdict()
    cause = cause_of(verdict, "data.unstable_split")
    assert (cause.severity, cause.manifest) == ("warns", "train")
    assert "1 of 20 seeds leave fewer than the 200 training rows needed (seed 32 leaves 199)" in cause.because
    assert verdict.ready_for_sweep is True
    study.files["splits/stability.json"] = stability(train_rows=200)
    assert "data.unstable_split" not in codes(study.verdict())


def test_a_seed_that_keeps_speakers_out(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_speakers=20)
    because = cause_of(study.verdict(), "data.unstable_split").because
    assert "seed 32 keeps 50.0 % of the 40 speakers out of training (34 % may be)" in because
    study.files["splits/stability.json"] = stability(train_speakers=27)
    assert "data.unstable_split" not in codes(study.verdict())


def test_a_threshold_that_is_stable_is_named(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_rows=199)
    study.change("durations/decision.json", {"stable": 15.0})
    assert "Set `durations.max_seconds` to 15" in cause_of(study.verdict(), "data.unstable_split").remedy
    study.change("durations/decision.json", {"stable": 10.0})
    assert "Add rows or speakers" in cause_of(study.verdict(), "data.unstable_split").remedy


def test_speakers_that_nobody_named_cannot_be_lost(study: HealthyStudy) -> None:
    study.files["splits/stability.json"] = stability(train_speakers=None) | {"speakers": None}
    assert check_of(study.verdict(), "data.split_seeds").status == "pass"


def test_too_few_rows_are_told_once_and_missing_facts_are_unknown(study: HealthyStudy) -> None:
    starved = stability()
    starved["splits"][0]["train_rows"] = 150
    study.files["splits/stability.json"] = starved
    assert not [c for c in study.verdict().checks if c.id == "data.split_seeds"]
    (study.results / "splits/stability.json").unlink()
    study.remove("splits/")
    assert check_of(study.verdict(), "data.split_seeds").status == "unknown"
