"""Outcomes explain, they never decide."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval

WORSE = {"delta": 0.021, "tuned_wer": 0.396, "interval": interval(0.008, 0.034), "outcome": "worse"}


def set_paired(study: HealthyStudy, run: str, manifest: str, changes: dict[str, Any]) -> None:
    study.change(f"paired/{run}/{manifest}.json", {"within": changes})


def test_a_worse_run_warns_and_stays_ready(study: HealthyStudy) -> None:
    set_paired(study, "lora", "domain", WORSE)
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.worsens")
    assert verdict.causes[0] == cause
    assert cause.severity == "warns"
    assert (cause.reason, cause.details["explanation"]) == ("worse", "training_too_strong")
    check = check_of(verdict, "adapter.outcome")
    assert (check.status, check.reason, check.value, check.threshold) == ("warn", "worse", 0.021, 0.0)
    assert (check.details["baseline_wer"], check.details["tuned_wer"]) == (0.375, 0.396)
    assert (check.details["interval"]["low"], check.details["interval"]["high"]) == (0.008, 0.034)
    assert verdict.ready_for_sweep is True


def test_a_worse_run_names_its_likely_cause(study: HealthyStudy) -> None:
    set_paired(study, "lora", "domain", WORSE)
    study.change("adapters/lora/train.json", {"validation": [{"step": 20, "loss": 0.4}, {"step": 100, "loss": 0.9}]})
    assert cause_of(study.verdict(), "adapter.worsens").details["explanation"] == "training.overfit"


def test_a_worse_run_with_broken_hypotheses_has_a_reason_of_its_own(study: HealthyStudy) -> None:
    set_paired(study, "lora", "domain", WORSE)
    study.change("wer/lora/domain.json", {"within": {"truncated": 60}})
    cause = cause_of(study.verdict(), "adapter.worsens")
    assert cause.reason == "worse_with_broken_hypotheses"
    assert [sign["sign"] for sign in cause.details["signs"]] == ["truncated"]


def test_a_broken_adapter_explains_every_number_of_its_run(study: HealthyStudy) -> None:
    set_paired(study, "lora", "domain", WORSE)
    set_paired(study, "lora", "heldout", WORSE)
    study.change("effect/lora.json", {"load": {"base_matches": False}})
    assert [c.code for c in study.verdict().causes if c.run == "lora"] == ["adapter.base_mismatch"]


def test_forgetting_warns(study: HealthyStudy) -> None:
    set_paired(study, "lora", "heldout", {**WORSE, "within_margin": False})
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.forgets")
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run, cause.manifest) == ("warns", "lora", "heldout")
    assert verdict.ready_for_sweep is True


def test_a_style_that_the_run_overcame_comes_after_what_it_harms(study: HealthyStudy) -> None:
    study.change("labels.json", {"reference_nll": 1.4})
    set_paired(study, "lora", "heldout", {**WORSE, "within_margin": False})
    assert codes(study.verdict())[:2] == ["adapter.forgets", "labels.style_mismatch"]


def test_a_loss_within_the_margin_is_no_forgetting(study: HealthyStudy) -> None:
    inside = {
        "delta": 0.002,
        "interval": interval(0.001, 0.004),
        "harm_bound": 0.004,
        "outcome": "worse",
        "within_margin": True,
    }
    set_paired(study, "lora", "heldout", inside)
    verdict = study.verdict()
    assert "adapter.forgets" not in codes(verdict)
    assert check_of(verdict, "adapter.general_set").status == "pass"


def test_forgetting_that_is_not_excluded_is_unknown(study: HealthyStudy) -> None:
    set_paired(
        study, "lora", "heldout", {"interval": interval(-0.004, 0.012), "harm_bound": 0.012, "outcome": "underpowered"}
    )
    verdict = study.verdict()
    check = check_of(verdict, "adapter.general_set")
    assert (check.status, check.reason) == ("unknown", "undecided")
    assert (check.details["harm_bound"], check.details["margin"]) == (0.012, 0.005)
    assert "adapter.forgets" not in codes(verdict)


def test_a_few_unchanged_rows_do_not_exclude_forgetting(study: HealthyStudy) -> None:
    few = {"interval": interval(0.0, 0.0), "harm_bound": 0.17, "changed_errors": 0, "outcome": "underpowered"}
    set_paired(study, "lora", "heldout", few)
    assert check_of(study.verdict(), "adapter.general_set").status == "unknown"


def test_without_a_general_manifest_forgetting_is_not_watched(study: HealthyStudy) -> None:
    study.configure({"roles": {"general": [], "domain": ["heldout", "domain", "test"]}})
    verdict = study.verdict()
    check = check_of(verdict, "adapter.general_set")
    assert (check.status, check.reason, check.run, check.manifest) == ("unknown", "no_general_manifest", "lora", None)
    assert "roles.general" in check.summary
    assert verdict.ready_for_sweep is True


def test_opposite_directions_warn_on_the_gate_run(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    assert "adapter.direction_mismatch" not in codes(study.verdict())
    set_paired(study, "earlier", "domain", WORSE)
    cause = cause_of(study.verdict(), "adapter.direction_mismatch")
    assert (cause.severity, cause.run, cause.manifest) == ("warns", "lora", "domain")
    first, second = cause.details["first"], cause.details["second"]
    assert (first["run"], first["delta"]) == ("lora", -0.148)
    assert (second["run"], second["baseline_wer"], second["tuned_wer"]) == ("earlier", 0.375, 0.396)


def test_opposite_signs_without_significance_are_no_contradiction(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    set_paired(study, "earlier", "domain", {**WORSE, "interval": interval(-0.01, 0.05), "outcome": "underpowered"})
    assert "adapter.direction_mismatch" not in codes(study.verdict())


def test_every_pair_of_tuned_runs_has_a_direction_on_every_manifest(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    study.add_run("other", "hypotheses")
    set_paired(study, "other", "domain", WORSE)
    checks = [c for c in study.verdict().checks if c.id == "adapter.direction" and c.manifest == "domain"]
    ways = [(c.details["first"]["run"], c.run, c.value, c.status) for c in checks]
    assert ways == [
        ("lora", "earlier", "same", "pass"),
        ("lora", "other", "opposite", "warn"),
        ("earlier", "other", "opposite", "warn"),
    ]
    undecided = [c.value for c in study.verdict().checks if c.id == "adapter.direction" and c.manifest == "test"]
    assert undecided == ["undecided"] * 3


def test_outcomes_list_every_candidate_on_every_manifest(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    study.files["paired/earlier/test.json"] |= {"status": "impossible", "code": "parity.manifest", "within": None}
    runs = study.verdict().runs
    assert [(r.run, r.manifest) for r in runs] == [
        (run, m) for run in ("lora", "earlier") for m in ("heldout", "domain", "test")
    ]
    assert runs[1].outcome == "better"
    assert (runs[1].ci_low, runs[1].ci_high) == (-0.173, -0.121)
    assert runs[-1].outcome is None
    assert runs[-1].baseline_wer is not None


def test_a_worse_external_run_gets_no_guessed_explanation(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    worse = {"outcome": "worse", "delta": 0.021, "tuned_wer": 0.396, "interval": {"low": 0.008, "high": 0.034}}
    study.change("paired/earlier/domain.json", {"within": worse})
    (cause,) = [c for c in study.verdict().causes if c.code == "adapter.worsens"]
    assert (cause.details["kind"], cause.details["explanation"]) == ("hypotheses", None)


@pytest.mark.parametrize(
    ("kind", "deletions", "errors", "missing"),
    [
        ("hypotheses", 300, 300, True),
        ("hypotheses", 300, 700, False),  # most errors that it adds are others
        ("hypotheses", 20, 30, False),  # hardly any word
        ("checkpoint", 300, 300, False),  # decoded as the baseline is
    ],
)
def test_external_transcripts_that_miss_words(
    study: HealthyStudy, kind: str, deletions: int, errors: int, missing: bool
) -> None:
    study.add_run("earlier", kind)
    set_paired(study, "earlier", "domain", WORSE)
    base = study.files["wer/base/domain.json"]["within"]
    change = {"deletions": base["deletions"] + deletions, "errors": base["errors"] + errors}
    study.change("wer/earlier/domain.json", {"within": change})
    (cause,) = [c for c in study.verdict().causes if c.code == "adapter.worsens"]
    found = cause.details["missing_words"]
    assert (found is not None and found["after"] - found["before"] == 300) is missing
    assert cause.remedy.startswith("Look whether the transcripts of earlier end" if missing else "Find out with which")
