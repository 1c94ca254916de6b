"""D2: something to gain, and a set that could show it."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval


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
    assert (cause.severity, cause.manifest) == ("info", "heldout")
    assert "can only show forgetting" in cause.because


def test_saturated_domain_manifests_block(study: HealthyStudy) -> None:
    saturate(study)
    verdict = study.verdict()
    assert verdict.causes[0].code == "headroom.saturated"
    assert (verdict.causes[0].severity, verdict.causes[0].manifest) == ("blocks", "domain")
    assert verdict.eval_manifest is None
    assert verdict.ready_for_sweep is False
    assert check_of(verdict, "headroom").status == "fail"
    assert "1.2 %" in verdict.causes[0].because


def test_a_hardened_version_is_proposed(study: HealthyStudy) -> None:
    saturate(study)
    version = {"distortion": "noise", "level": 10.0, "utterances": 200, "wer": 0.14, "ci_low": 0.1, "ci_high": 0.2}
    study.files["hardened.json"] = {
        "status": "measured",
        "manifest": "domain",
        "proposed": "domain-noise-10",
        "versions": [version],
    }
    remedy = study.verdict().causes[0].remedy
    assert "the harder version domain-noise-10 (baseline WER 14.0 %)" in remedy
    assert "write-hardened --results results --output data/domain-noise-10" in remedy


def test_versions_measured_in_vain_are_said(study: HealthyStudy) -> None:
    saturate(study)
    version = {"distortion": "noise", "level": 0.0, "utterances": 200, "wer": 0.02, "ci_low": 0.01, "ci_high": 0.03}
    study.files["hardened.json"] = {"status": "measured", "manifest": "domain", "versions": [version]}
    assert "none of the 1 distortions of domain leaves room" in study.verdict().causes[0].remedy


def test_one_saturated_domain_manifest_beside_a_usable_one_only_warns(study: HealthyStudy) -> None:
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
    verdict = study.verdict()
    assert [c.code for c in verdict.causes if c.severity == "blocks"] == ["headroom.underpowered"]
    assert "too small for any estimate" in verdict.causes[0].because
    assert check_of(verdict, "headroom.baseline", manifest="test").status == "fail"


def test_a_small_manifest_beside_the_evaluation_manifest_warns(study: HealthyStudy) -> None:
    cause = cause_of(study.verdict(), "headroom.underpowered")
    assert (cause.severity, cause.manifest) == ("warns", "test")
    told = "12 utterances) can show differences of 6.10 points or more; the target gain of 1 point would not."
    assert told in cause.because
    assert "Add about 435 utterances" in cause.remedy


def test_the_remedy_names_hours_and_speakers_from_the_observed_spread(study: HealthyStudy) -> None:
    observed = {
        "assumed_shared_errors": None, "standard_error": 0.008, "detectable_difference": 0.024, "target_gain": 0.01,
        "utterances": 200, "utterances_needed": 1100, "hours": 0.5, "hours_needed": 2.75, "speakers": 20,
        "speakers_needed": 110, "units": "speakers",
    }  # fmt: skip
    set_paired(study, "domain", {"outcome": "underpowered", "detectable_difference": 0.024, "power": observed})
    cause = next(c for c in study.verdict().causes if c.code == "headroom.underpowered" and c.manifest == "domain")
    told = (
        "Add about 900 utterances (2.2 h) of the target domain, from 90 more speakers like the present ones, to domain."
    )
    assert cause.remedy == told


@pytest.mark.parametrize("outcome", ["underpowered", "unchanged"])
def test_an_evaluation_manifest_too_small_blocks_while_nothing_shows(study: HealthyStudy, outcome: str) -> None:
    study.change("wer/base/domain.json", {"power": {"detectable_difference": 0.03}})
    observed = None if outcome == "unchanged" else 0.024
    set_paired(study, "domain", {"outcome": outcome, "detectable_difference": observed})
    verdict = study.verdict()
    cause = next(c for c in verdict.causes if c.code == "headroom.underpowered" and c.manifest == "domain")
    assert cause.severity == "blocks"
    assert ("3.00 points" if outcome == "unchanged" else "2.40 points") in cause.because
    assert verdict.ready_for_sweep is False


def test_underpowered_outcome_on_a_set_that_could_show_the_target_does_not_block(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "underpowered", "detectable_difference": 0.008})
    verdict = study.verdict()
    assert verdict.ready_for_sweep is True
    assert check_of(verdict, "headroom.power", manifest="domain").status == "pass"


def test_a_difference_that_showed_is_proof_enough(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "better", "detectable_difference": 0.037})
    verdict = study.verdict()
    assert verdict.ready_for_sweep is True
    assert check_of(verdict, "headroom.power", manifest="domain").status == "warn"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"wer": 0.91, "errors": 2184, "interval": interval(0.89, 0.93)}, "its WER is 91.0 %"),
        ({"truncated": 30}, "30 of 200 transcripts (15.0 %) are cut by the token cap"),
        ({"insertions": 800}, "inserts 800 words"),
    ],
)
def test_a_broken_baseline_blocks(study: HealthyStudy, changes: dict[str, Any], words: str) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    study.change("wer/base/domain.json", {"within": changes})
    verdict = study.verdict()
    cause = cause_of(verdict, "headroom.baseline_broken")
    assert verdict.causes[0] == cause
    assert cause.severity == "blocks"
    assert words in cause.because
    assert "works on heldout (WER 1.5 %)" in cause.remedy


def test_a_looping_or_mute_baseline_blocks(study: HealthyStudy) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    loops = [{"id": f"domain-{i}", "words": "and then", "times": 20 + i} for i in range(11)]
    study.change("wer/base/domain.json", {"loops": loops})
    because = cause_of(study.verdict(), "headroom.baseline_broken").because
    assert '11 of 200 transcripts (5.5 %) loop (domain-10: "and then" 30 times' in because
    study.change("wer/base/domain.json", {"loops": [], "within": {"deletions": 1300}})
    because = cause_of(study.verdict(), "headroom.baseline_broken").because
    assert "it writes 45.8 % as many words as the references hold (at least 50 % are expected)" in because


def test_one_looping_row_never_breaks_a_baseline(study: HealthyStudy) -> None:
    """On 12 rows one is more than any share, and its 400 words are more than the references hold."""
    loop = {"id": "test-0", "words": "so", "times": 400}
    runaway = study.files["wer/base/test.json"]["utterances"]
    runaway[0] |= {"insertions": 400}
    within = {"insertions": 400, "errors": 445, "wer": 445 / 140, "truncated": 1}
    study.change("wer/base/test.json", {"loops": [loop], "within": within, "utterances": runaway})
    verdict = study.verdict()
    assert "headroom.baseline_broken" not in codes(verdict)
    assert 'test-0: "so" 400 times' in check_of(verdict, "headroom.baseline_works", manifest="test").summary


@pytest.mark.parametrize(
    ("wer", "low", "high", "words"),
    [
        (0.20, 0.15, 0.25, "surely above the floor of 5 %."),
        (0.055, 0.048, 0.062, "above the floor of 5 %, but not surely: the interval reaches it."),
        (0.20, None, None, "above the floor of 5 %, though how surely is not known."),
        (0.045, 0.04, 0.052, "not above the floor of 5 %, though the interval reaches above it: no adapter"),
        (0.02, 0.01, 0.03, "surely not above the floor of 5 %: no adapter"),
    ],
)
def test_both_ends_of_the_interval_are_told(
    study: HealthyStudy, wer: float, low: float | None, high: float | None, words: str
) -> None:
    set_wer(study, "domain", wer, low, high)
    assert words in check_of(study.verdict(), "headroom.baseline", manifest="domain").summary


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


def test_a_broken_baseline_is_evaluated_on_only_where_there_is_no_other(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"within": {"truncated": 150}})
    assert study.verdict().eval_manifest == "test"


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
    ("changes", "reason"),
    [
        ({"within": {"utterances": 0, "words": 0, "wer": None}}, "none of its 200 rows is within `max_seconds`, 10 s."),
        ({"within": {"words": 0, "wer": None}}, "it holds no reference word."),
        ({"status": "impossible", "message": "nothing was brought", "within": None}, "nothing was brought."),
    ],
)
def test_an_unknown_wer_has_its_reason(study: HealthyStudy, changes: dict[str, Any], reason: str) -> None:
    study.configure({"roles": {"domain": ["domain"]}})
    del study.config["manifests"]["test"]
    study.change("wer/base/domain.json", changes)
    verdict = study.verdict()
    told = check_of(verdict, "headroom").summary
    assert told.startswith(f"The baseline's WER on domain is not known: {reason} Provide rows with words")
    assert check_of(verdict, "headroom.baseline", manifest="domain").summary == check_of(verdict, "headroom").summary
    assert verdict.ready_for_sweep is False


def test_the_limit_says_whose_spread_it_comes_from(study: HealthyStudy) -> None:
    set_paired(study, "domain", {"outcome": "better", "detectable_difference": 0.037})
    summary = check_of(study.verdict(), "headroom.power", manifest="domain").summary
    assert "3.70 points or more, by the spread of lora against base; the target gain of 1 point would not." in summary


def test_one_cut_transcript_of_a_tiny_manifest_is_no_accident_where_others_are_cut(study: HealthyStudy) -> None:
    """Else a cap that cuts every long text leaves the tiny manifest as the one to evaluate on."""
    study.change("wer/base/test.json", {"within": {"truncated": 1, "utterances": 3}})
    assert "headroom.baseline_broken" not in codes(study.verdict())
    study.change("wer/base/domain.json", {"within": {"truncated": 150}})
    verdict = study.verdict()
    assert (verdict.causes[0].code, verdict.causes[0].severity) == ("headroom.baseline_broken", "blocks")
    assert check_of(verdict, "headroom.baseline_works", manifest="test").status == "fail"
