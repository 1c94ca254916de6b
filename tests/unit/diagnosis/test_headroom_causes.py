"""Headroom: something to gain, and a manifest that could show it."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval
from healthy_data import measures


def set_wer(study: HealthyStudy, manifest: str, wer: float, low: float | None, high: float | None) -> None:
    for run in ("base", "lora"):
        words = study.files[f"wer/{run}/{manifest}.json"]["within"]["words"]
        within = {"wer": wer, "errors": round(wer * words), "interval": interval(low, high)}
        study.change(f"wer/{run}/{manifest}.json", {"within": within})


def set_paired(study: HealthyStudy, manifest: str, changes: dict[str, Any]) -> None:
    study.change(f"paired/lora/{manifest}.json", {"within": changes})


def saturate(study: HealthyStudy) -> None:
    for manifest in ("domain", "test"):
        set_wer(study, manifest, 0.012, 0.007, 0.017)
        study.change(f"wer/base/{manifest}.json", {"power": {"detectable_difference": 0.004}})


def test_the_general_manifest_is_saturated_by_design(study: HealthyStudy) -> None:
    cause = cause_of(study.verdict(), "headroom.saturated")
    assert (cause.severity, cause.manifest, cause.reason) == ("info", "heldout", "general")


def test_saturated_domain_manifests_block(study: HealthyStudy) -> None:
    saturate(study)
    verdict = study.verdict()
    assert verdict.causes[0].code == "headroom.saturated"
    assert (verdict.causes[0].severity, verdict.causes[0].manifest) == ("blocks", "domain")
    assert verdict.eval_manifest is None
    assert verdict.ready_for_sweep is False
    assert check_of(verdict, "headroom").status == "fail"
    assert verdict.causes[0].details["wer"] == 0.012
    assert verdict.causes[0].details["harder"] is None


def test_a_hardened_version_is_proposed(study: HealthyStudy) -> None:
    saturate(study)
    version = {"distortion": "noise", "level": 10.0, "utterances": 200, "wer": 0.14, "ci_low": 0.1, "ci_high": 0.2}
    study.files["hardened.json"] = {
        "status": "measured",
        "manifest": "domain",
        "proposed": "domain-noise-10",
        "versions": [version],
    }
    harder = study.verdict().causes[0].details["harder"]
    assert (harder["proposed"], harder["wer"]) == ("domain-noise-10", 0.14)
    assert harder["command"].endswith("write-hardened --results results --output data/domain-noise-10")


def test_versions_measured_in_vain_are_counted(study: HealthyStudy) -> None:
    saturate(study)
    version = {"distortion": "noise", "level": 0.0, "utterances": 200, "wer": 0.02, "ci_low": 0.01, "ci_high": 0.03}
    study.files["hardened.json"] = {"status": "measured", "manifest": "domain", "versions": [version]}
    harder = study.verdict().causes[0].details["harder"]
    assert harder == {"proposed": None, "tried": 1, "manifest": "domain"}


def test_a_saturated_domain_manifest_next_to_a_usable_one_only_warns(study: HealthyStudy) -> None:
    set_wer(study, "test", 0.012, 0.007, 0.017)
    study.change("wer/base/test.json", {"power": {"detectable_difference": 0.004}})
    verdict = study.verdict()
    assert [(c.severity, c.manifest) for c in verdict.causes if c.code == "headroom.saturated"] == [
        ("warns", "test"),
        ("info", "heldout"),
    ]
    assert verdict.ready_for_sweep is True


def test_an_interval_that_reaches_the_floor_warns(study: HealthyStudy) -> None:
    set_wer(study, "domain", 0.055, 0.048, 0.062)
    verdict = study.verdict()
    assert check_of(verdict, "headroom").status == "warn"
    assert verdict.ready_for_sweep is True


def test_a_wer_of_exactly_the_floor_is_saturated(study: HealthyStudy) -> None:
    set_wer(study, "domain", 0.05, 0.045, 0.055)
    verdict = study.verdict()
    assert verdict.eval_manifest == "test"
    assert cause_of_manifest(study, "domain").code == "headroom.saturated"


def cause_of_manifest(study: HealthyStudy, manifest: str) -> Any:
    return next(c for c in study.verdict().causes if c.manifest == manifest and c.code.startswith("headroom."))


def test_two_rows_without_an_error_are_too_few_rather_than_saturated(study: HealthyStudy) -> None:
    study.configure({"roles": {"domain": ["test"]}, "manifests": {"domain": None}})
    del study.config["manifests"]["domain"]
    set_wer(study, "test", 0.0, 0.0, 0.84)
    study.change("wer/base/test.json", {"power": None})
    study.change("paired/lora/test.json", {"within": {"detectable_difference": None}})
    verdict = study.verdict()
    assert [c.code for c in verdict.causes if c.severity == "blocks"] == ["headroom.underpowered"]
    assert (verdict.causes[0].reason, verdict.causes[0].details["detectable"]) == ("no_estimate", None)
    check = check_of(verdict, "headroom.baseline", manifest="test")
    assert (check.status, check.reason) == ("fail", "too_few_rows")


def test_a_small_manifest_next_to_the_evaluation_manifest_warns(study: HealthyStudy) -> None:
    cause = cause_of(study.verdict(), "headroom.underpowered")
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "test", "too_small")
    details = cause.details
    assert (details["utterances"], details["detectable"], details["target"]) == (12, 0.037, 0.01)
    assert details["spread_of"] == "lora"
    assert (details["add"], details["out_of_reach"]) == (None, True)


def test_the_smallest_change_of_a_manifest_is_one_number(study: HealthyStudy) -> None:
    """The observed one of the comparison; predicted by the baseline where too few utterances changed."""

    def changes(manifest: str) -> list[float | None]:
        verdict = study.verdict()
        power = check_of(verdict, "headroom.power", manifest=manifest).value
        assert power is None or isinstance(power, float)
        return [next(run.smallest_change for run in verdict.runs if run.manifest == manifest), power]

    assert changes("domain") == changes("test") == [0.037, 0.037]
    for manifest, predicted in (("domain", 0.009), ("test", 0.061)):
        few = {"detectable_difference": None, "interval": interval(-0.004, 0.004)}
        study.change(f"paired/lora/{manifest}.json", {"within": few})
        assert changes(manifest) == [predicted, predicted]
    study.change("wer/base/test.json", {"within": {"utterances": 5}})
    assert changes("test")[0] is None


def test_the_smallest_change_is_not_smaller_than_the_observed_interval_allows(study: HealthyStudy) -> None:
    study.change("wer/base/test.json", {"power": {"utterances_needed": 40}})
    study.change(
        "paired/lora/test.json",
        {"within": {"detectable_difference": None, "interval": interval(-0.222, 0.022), "outcome": "underpowered"}},
    )
    verdict = study.verdict()
    assert next(run.smallest_change for run in verdict.runs if run.manifest == "test") == pytest.approx(0.122)
    details = cause_of(verdict, "headroom.underpowered").details
    assert details["detectable"] == pytest.approx(0.122)
    assert details["spread_of"] == "lora"
    # Twice the predicted difference of 0.061 takes four times as many rows.
    assert details["add"]["utterances"] == 160 - 12


def test_rows_to_add_are_named_up_to_twenty_times_the_set(study: HealthyStudy) -> None:
    study.change("wer/base/test.json", {"power": {"utterances_needed": 240}})
    details = cause_of(study.verdict(), "headroom.underpowered").details
    assert (details["add"], details["out_of_reach"]) == ({"utterances": 228, "hours": None, "speakers": None}, False)
    study.change("wer/base/test.json", {"power": {"utterances_needed": 241}})
    details = cause_of(study.verdict(), "headroom.underpowered").details
    assert (details["add"], details["out_of_reach"]) == (None, True)


def test_errors_in_two_rows_are_named(study: HealthyStudy) -> None:
    assert check_of(study.verdict(), "headroom.power", manifest="domain").details["concentrated"] is None
    rows = study.files["wer/base/test.json"]["utterances"]
    for number, row in enumerate(rows):
        row |= {"hits": 2, "substitutions": 10} if number in {3, 8} else {"hits": 12, "substitutions": 0}
    study.change("wer/base/test.json", {"within": {"errors": 20, "substitutions": 20}})
    details = check_of(study.verdict(), "headroom.power", manifest="test").details["concentrated"]
    assert details == {"ids": ["test-3", "test-8"], "errors": 20, "of": 20, "utterances": 12}


def test_missing_hours_and_speakers_follow_from_the_observed_spread(study: HealthyStudy) -> None:
    observed = {
        "assumed_shared_errors": None, "standard_error": 0.008, "detectable_difference": 0.024, "target_gain": 0.01,
        "utterances": 200, "utterances_needed": 1100, "hours": 0.5, "hours_needed": 2.75, "speakers": 20,
        "speakers_needed": 110, "units": "speakers",
    }  # fmt: skip
    set_paired(study, "domain", {"outcome": "underpowered", "detectable_difference": 0.024, "power": observed})
    cause = next(c for c in study.verdict().causes if c.code == "headroom.underpowered" and c.manifest == "domain")
    assert cause.details["add"] == {"utterances": 900, "hours": 2.25, "speakers": 90}


@pytest.mark.parametrize("outcome", ["underpowered", "unchanged"])
def test_an_evaluation_manifest_too_small_blocks_while_nothing_shows(study: HealthyStudy, outcome: str) -> None:
    study.change("wer/base/domain.json", {"power": {"detectable_difference": 0.03}})
    observed = None if outcome == "unchanged" else 0.024
    set_paired(study, "domain", {"outcome": outcome, "detectable_difference": observed})
    verdict = study.verdict()
    cause = next(c for c in verdict.causes if c.code == "headroom.underpowered" and c.manifest == "domain")
    assert cause.severity == "blocks"
    assert cause.details["detectable"] == (0.03 if outcome == "unchanged" else 0.024)
    assert verdict.ready_for_sweep is False


def test_underpowered_outcome_on_a_set_that_could_show_the_target_does_not_block(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "underpowered", "detectable_difference": 0.008})
    verdict = study.verdict()
    assert verdict.ready_for_sweep is True
    assert check_of(verdict, "headroom.power", manifest="domain").status == "pass"


def test_a_decided_difference_does_not_block(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "better", "detectable_difference": 0.037})
    verdict = study.verdict()
    assert verdict.ready_for_sweep is True
    check = check_of(verdict, "headroom.power", manifest="domain")
    assert (check.status, check.reason, check.details["outcome"]) == ("warn", "decided", "better")


@pytest.mark.parametrize(
    ("changes", "sign"),
    [
        (
            {"wer": 0.91, "errors": 2184, "interval": interval(0.89, 0.93)},
            {"sign": "wer", "wer": 0.91, "unit": "words"},
        ),
        ({"truncated": 30}, {"sign": "truncated", "count": 30, "utterances": 200}),
        ({"insertions": 800}, {"sign": "insertions", "count": 800, "words": 2400}),
    ],
)
def test_a_broken_baseline_blocks(study: HealthyStudy, changes: dict[str, Any], sign: dict[str, Any]) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    study.change("wer/base/domain.json", {"within": changes})
    verdict = study.verdict()
    cause = cause_of(verdict, "headroom.baseline_broken")
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.reason) == ("blocks", "broken")
    assert cause.details["signs"] == [sign]
    assert cause.details["works_on"] == {"manifest": "heldout", "wer": 0.015}


def test_a_looping_or_nearly_silent_baseline_blocks(study: HealthyStudy) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    loops = [{"id": f"domain-{i}", "words": "and then", "times": 20 + i} for i in range(11)]
    study.change("wer/base/domain.json", {"loops": loops})
    (sign,) = cause_of(study.verdict(), "headroom.baseline_broken").details["signs"]
    assert (sign["sign"], sign["count"], sign["utterances"]) == ("loops", 11, 200)
    assert sign["longest"][0] == {"id": "domain-10", "words": "and then", "times": 30}
    study.change("wer/base/domain.json", {"loops": [], "within": {"deletions": 1300}})
    (sign,) = cause_of(study.verdict(), "headroom.baseline_broken").details["signs"]
    assert (sign["sign"], sign["length_ratio"], sign["least"]) == ("too_short", pytest.approx(1100 / 2400), 0.5)


def test_one_looping_row_never_breaks_a_baseline(study: HealthyStudy) -> None:
    """One of 12 rows exceeds any share, and its 400 words are more than all references have."""
    loop = {"id": "test-0", "words": "so", "times": 400}
    runaway = study.files["wer/base/test.json"]["utterances"]
    runaway[0] |= {"insertions": 400}
    within = {"insertions": 400, "errors": 445, "wer": 445 / 140, "truncated": 1}
    study.change("wer/base/test.json", {"loops": [loop], "within": within, "utterances": runaway})
    verdict = study.verdict()
    assert "headroom.baseline_broken" not in codes(verdict)
    check = check_of(verdict, "headroom.baseline_works", manifest="test")
    assert (check.status, check.details["loops"]) == ("pass", 1)
    assert check.details["longest_loops"] == [{"id": "test-0", "words": "so", "times": 400}]


@pytest.mark.parametrize(
    ("wer", "low", "high", "status", "reason", "certain"),
    [
        (0.20, 0.15, 0.25, "pass", "above", True),
        (0.055, 0.048, 0.062, "warn", "above", False),
        (0.20, None, None, "warn", "above", None),
        (0.045, 0.04, 0.052, "fail", "saturated", False),
        (0.02, 0.01, 0.03, "fail", "saturated", True),
    ],
)
def test_the_interval_decides_how_certain_the_side_of_the_floor_is(
    study: HealthyStudy,
    wer: float,
    low: float | None,
    high: float | None,
    status: str,
    reason: str,
    certain: bool | None,
) -> None:
    set_wer(study, "domain", wer, low, high)
    check = check_of(study.verdict(), "headroom.baseline", manifest="domain")
    assert (check.status, check.reason, check.details["certain"]) == (status, reason, certain)
    assert (check.details["interval"]["low"], check.details["interval"]["high"]) == (low, high)


def test_some_truncated_transcripts_do_not_break_a_baseline(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"truncated": 20, "insertions": 240}})
    assert "headroom.baseline_broken" not in codes(study.verdict())


def test_the_evaluation_manifest_could_show_the_smallest_difference_ties_by_name(study: HealthyStudy) -> None:
    assert study.verdict().eval_manifest == "domain"
    for manifest, detectable in (("domain", 0.02), ("test", 0.01)):
        study.change(f"wer/base/{manifest}.json", {"power": {"detectable_difference": detectable}})
    assert study.verdict().eval_manifest == "test"
    study.change("wer/base/test.json", {"power": {"detectable_difference": 0.02}})
    assert study.verdict().eval_manifest == "domain"


def test_a_broken_baseline_is_evaluated_on_only_where_no_other_manifest_has_power(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"truncated": 150}})
    assert study.verdict().eval_manifest == "domain"
    study.change("wer/base/test.json", {"power": {"detectable_difference": 0.009}})
    assert study.verdict().eval_manifest == "test"


DECIDED = {"within": {"outcome": "better", "detectable_difference": 0.05}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"within": {"utterances": 0, "words": 0, "wer": None}}, None),
        ({"within": {"errors": 2300, "wer": 0.96}}, "headroom.baseline_broken"),
    ],
)
def test_a_fault_of_the_large_manifest_does_not_move_the_gate_to_a_set_without_power(
    study: HealthyStudy, changes: dict[str, Any], code: str | None
) -> None:
    study.change("wer/base/domain.json", changes)
    study.change("paired/lora/test.json", DECIDED)
    verdict = study.verdict()
    assert (verdict.eval_manifest, verdict.ready_for_sweep) == ("domain", False)
    assert check_of(verdict, "headroom").status == ("unknown" if code is None else "pass")
    if code is not None:
        cause = cause_of(verdict, code)
        assert (cause.severity, cause.manifest) == ("blocks", "domain")


def test_durations_in_milliseconds_block_although_a_small_manifest_has_headroom(study: HealthyStudy) -> None:
    measured = [{**m, "manifest_duration": 4000.0} for m in measures(200)]
    study.set_audio("domain", measured)
    study.change("wer/base/domain.json", {"within": {"utterances": 0, "words": 0, "wer": None}})
    study.change("paired/lora/test.json", DECIDED)
    cause = cause_of(study.verdict(), "data.wrong_durations")
    assert (cause.severity, cause.manifest) == ("blocks", "domain")


def test_fewer_than_six_rows_never_have_power(study: HealthyStudy) -> None:
    study.configure({"roles": {"domain": ["test"]}, "statistics": {"target_gain": 0.2}})
    del study.config["manifests"]["domain"]
    assert study.verdict().ready_for_sweep is True
    study.change("wer/base/test.json", {"within": {"utterances": 5}})
    study.change("paired/lora/test.json", {"within": {"detectable_difference": None}})
    cause = cause_of(study.verdict(), "headroom.underpowered")
    assert (cause.severity, cause.reason) == ("blocks", "no_estimate")


def test_a_baseline_that_was_not_scored_is_unknown(study: HealthyStudy) -> None:
    study.remove("wer/", "paired/")
    verdict = study.verdict()
    assert check_of(verdict, "headroom").status == "unknown"
    assert verdict.ready_for_sweep is False
    assert verdict.eval_manifest is None


def test_remedies_of_headroom_name_data_only(study: HealthyStudy) -> None:
    saturate(study)
    for cause in study.verdict().causes:
        if cause.code.startswith("headroom."):
            assert not [w for w in ("learning rate", "rank", "alpha", "dropout", "decode") if w in cause.remedy]


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        (
            {"within": {"utterances": 0, "words": 0, "wer": None}},
            {"reason": "no_row_within_limit", "rows": 200, "max_seconds": 10.0},
        ),
        ({"within": {"words": 0, "wer": None}}, {"reason": "no_reference_word"}),
        (
            {"status": "impossible", "message": "no transcripts", "within": None},
            {"reason": "impossible", "message": "no transcripts"},
        ),
    ],
)
def test_an_unknown_wer_has_its_reason(study: HealthyStudy, changes: dict[str, Any], unknown: dict[str, Any]) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    study.change("wer/base/domain.json", changes)
    verdict = study.verdict()
    criterion, check = check_of(verdict, "headroom"), check_of(verdict, "headroom.baseline", manifest="domain")
    assert (criterion.status, criterion.reason, criterion.details["missing"]) == ("unknown", "no_wer", "inputs")
    assert criterion.details["unknown"] == check.details["unknown"] == [{"manifest": "domain", **unknown}]
    assert verdict.ready_for_sweep is False


def test_the_observed_spread_of_the_gate_run_replaces_the_assumption(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "better", "detectable_difference": 0.037})
    details = check_of(study.verdict(), "headroom.power", manifest="domain").details
    assert (details["detectable"], details["spread_of"]) == (0.037, "lora")


def test_one_truncated_hypothesis_of_a_tiny_manifest_is_no_accident_where_others_are_truncated(
    study: HealthyStudy,
) -> None:
    """Otherwise a cap that truncates every long hypothesis leaves the tiny manifest as the one to evaluate on."""
    study.change("wer/base/test.json", {"within": {"truncated": 1, "utterances": 3}})
    assert "headroom.baseline_broken" not in codes(study.verdict())
    study.change("wer/base/domain.json", {"within": {"truncated": 150}})
    verdict = study.verdict()
    assert (verdict.causes[0].code, verdict.causes[0].severity) == ("headroom.baseline_broken", "blocks")
    assert check_of(verdict, "headroom.baseline_works", manifest="test").status == "fail"
