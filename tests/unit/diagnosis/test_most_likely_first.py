"""Which cause comes first, what explains a worse run, and what evidence lowers a severity."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval, option
from healthy_data import dropped, measures, mismatches

UNPUNCTUATED = {"reference_style": {"with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}}
COSTLY = {"reference_nll": 1.9, "restyled_nll": 0.9}
WORSE = {"delta": 0.021, "tuned_wer": 0.396, "interval": interval(0.008, 0.034), "outcome": "worse"}
UNDECIDED = {"outcome": "underpowered", "interval": interval(-0.02, 0.01), "delta": -0.005}


def set_outcome(study: HealthyStudy, outcome: dict[str, Any]) -> None:
    for manifest in ("domain", "test"):
        study.change(f"paired/lora/{manifest}.json", {"within": outcome})


def starve(study: HealthyStudy, train_rows: int, details: dict[str, Any]) -> None:
    only = option(8, train_rows) | details
    study.change("max_seconds.json", {"max_seconds": 8.0})
    study.change(
        "durations/decision.json",
        {"max_seconds": 8.0, "status": "none_sufficient", "sufficient": None, "options": [only]},
    )
    study.change("durations/retention.json", {"dropped": [dropped(8)]})
    study.set_sizes(train=train_rows, val=only["val_rows"], too_long=0)


@pytest.mark.parametrize(
    ("outcome", "labels", "severity"),
    [
        ({}, {}, "warns"),
        ({}, COSTLY, "warns"),
        (WORSE, {}, "blocks"),
        ({"outcome": "equivalent"}, {}, "blocks"),
        ({"outcome": "unchanged"}, {}, "blocks"),
        (UNDECIDED, {}, "warns"),
        (UNDECIDED, COSTLY, "blocks"),
    ],
)
def test_another_style_blocks_where_the_short_run_did_not_move_wer(
    study: HealthyStudy, outcome: dict[str, Any], labels: dict[str, Any], severity: str
) -> None:
    study.change("labels.json", {**UNPUNCTUATED, **labels})
    set_outcome(study, outcome)
    cause = cause_of(study.verdict(), "labels.style_mismatch")
    assert cause.severity == severity


def test_without_a_short_run_the_likelihood_decides_whether_another_style_blocks(study: HealthyStudy) -> None:
    study.remove("paired/")
    study.change("labels.json", UNPUNCTUATED)
    cause = cause_of(study.verdict(), "labels.style_mismatch")
    assert (cause.severity, cause.details["short_run"]) == ("warns", None)
    study.change("labels.json", COSTLY)
    assert cause_of(study.verdict(), "labels.style_mismatch").severity == "blocks"


def underpower(study: HealthyStudy, detectable: float) -> None:
    set_outcome(study, {**UNDECIDED, "detectable_difference": detectable})


def test_training_data_far_too_few_come_before_an_evaluation_set_nearly_large_enough(study: HealthyStudy) -> None:
    underpower(study, 0.0173)
    starve(study, 7, {})
    assert codes(study.verdict())[:2] == ["data.too_few_samples", "headroom.underpowered"]


def test_an_evaluation_set_far_too_small_comes_before_training_data_nearly_enough(study: HealthyStudy) -> None:
    underpower(study, 0.08)
    starve(study, 195, {})
    assert codes(study.verdict())[:2] == ["headroom.underpowered", "data.too_few_samples"]


def test_causes_of_other_kinds_keep_their_place(study: HealthyStudy) -> None:
    underpower(study, 0.0173)
    starve(study, 7, {})
    study.change("effect/lora.json", {"load": {"base_matches": False}})
    assert codes(study.verdict())[0] == "adapter.base_mismatch"


def test_training_rows_unlike_their_texts_explain_a_worse_run(study: HealthyStudy) -> None:
    set_outcome(study, WORSE)
    study.files["mismatches/train.json"] = mismatches("train", 360, 32) | {"suspects": 29}
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200) | {"suspects": 20}
    details = cause_of(study.verdict(), "adapter.worsens").details
    assert (details["explanation"], details["training_faults"]) == ("data.", ["data.transcript_mismatch"])


@pytest.mark.parametrize("suspects", [(3, 20), (20, 125), (8, 20)])
def test_hard_words_alone_explain_no_worse_run(study: HealthyStudy, suspects: tuple[int, int]) -> None:
    """A healthy share, a domain as hard as the training, and a difference that chance or accents may make."""
    set_outcome(study, WORSE)
    study.files["mismatches/train.json"] = mismatches("train", 360, 32) | {"suspects": suspects[0]}
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200) | {"suspects": suspects[1]}
    assert cause_of(study.verdict(), "adapter.worsens").details["explanation"] == "training_too_strong"


def test_a_fault_of_the_training_rows_explains_a_worse_run(study: HealthyStudy) -> None:
    set_outcome(study, WORSE)
    silent = [{**m, "level": -90.0} if n % 3 == 0 else m for n, m in enumerate(measures(360))]
    study.set_audio("train", silent)
    assert cause_of(study.verdict(), "adapter.worsens").details["explanation"] == "data."
    study.set_audio("domain", silent[:200])  # the evaluation has it too
    assert cause_of(study.verdict(), "adapter.worsens").details["explanation"] == "training_too_strong"


def test_a_worse_run_gets_a_learning_rate_to_try(study: HealthyStudy) -> None:
    set_outcome(study, WORSE)
    cause = cause_of(study.verdict(), "adapter.worsens")
    assert cause.details["learning_rate"] == 0.001
    assert "`learning_rate` 0.0002" in cause.remedy


FOUR_SPEAKERS = {"rows": 260, "val_rows": 65, "speakers": 4}


def test_few_speakers_are_named_before_new_recordings(study: HealthyStudy) -> None:
    starve(study, 195, FOUR_SPEAKERS)
    cause = cause_of(study.verdict(), "data.too_few_samples")
    validation = cause.details["validation"]
    assert (validation["key"], validation["share"], validation["asked"], validation["leaves"]) == (
        "by_speaker",
        0.25,
        0.1,
        234,
    )
    assert cause.remedy.startswith("Set `split.by_speaker: false`")
    assert "25.0 %" in cause.because


def test_a_large_validation_share_is_named_as_its_key(study: HealthyStudy) -> None:
    study.configure({"split": {"val_fraction": 0.5, "by_speaker": False}})
    starve(study, 150, {"rows": 300, "val_rows": 150})
    cause = cause_of(study.verdict(), "data.too_few_samples")
    assert (cause.details["validation"]["key"], cause.details["validation"]["leaves"]) == ("val_fraction", 270)
    assert cause.remedy.startswith("Set `split.val_fraction` to 0.1")


def test_a_limit_that_hides_most_rows_is_named(study: HealthyStudy) -> None:
    study.set_rows("train", 120)
    study.set_audio("train", measures(120))
    starve(study, 6, {"rows": 7, "val_rows": 1})
    beyond = cause_of(study.verdict(), "data.too_few_samples").details["beyond_limit"]
    assert (beyond["rows"], beyond["of"], beyond["limit"]) == (113, 120, 8.0)


def test_an_ordinary_split_blames_no_key(study: HealthyStudy) -> None:
    study.set_rows("train", 100)
    study.set_audio("train", measures(100))
    starve(study, 90, {"rows": 100, "val_rows": 10})
    details = cause_of(study.verdict(), "data.too_few_samples").details
    assert (details["validation"], details["beyond_limit"]) == (None, None)


ALL_ROWS = {"utterances": 400, "words": 5000, "errors": 1000, "wer": 0.2, "interval": interval(0.18, 0.22)}


def test_both_row_sets_are_reported_where_the_limit_leaves_out_many(study: HealthyStudy) -> None:
    assert check_of(study.verdict(), "headroom.baseline", manifest="domain").details["other_rows"] is None
    study.change("wer/base/domain.json", {"all": ALL_ROWS})
    study.files["wer/base/domain.json"]["power_all"] = study.files["wer/base/domain.json"]["power"] | {
        "detectable_difference": 0.006
    }
    check = check_of(study.verdict(), "headroom.baseline", manifest="domain")
    other = check.details["other_rows"]
    assert (other["left_out"], other["wer"], other["rows"]) == (0.5, 0.2, 400)
    assert (other["detectable_within"], other["detectable"]) == (0.037, 0.037)  # as observed of the gate run
    unknown = {"detectable_difference": None, "interval": interval(-0.004, 0.004)}
    study.change("paired/lora/domain.json", {"within": unknown, "all": unknown})
    other = check_of(study.verdict(), "headroom.baseline", manifest="domain").details["other_rows"]
    assert (other["detectable_within"], other["detectable"]) == (0.009, 0.006)  # as the baseline predicts
    assert "`headroom.rows: all`" in check.summary


def test_both_row_sets_are_reported_where_their_outcomes_differ(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"all": {"outcome": "underpowered"}})
    details = check_of(study.verdict(), "headroom.baseline", manifest="domain").details["other_rows"]
    assert details["outcomes"] == ["better", "underpowered"]


def test_all_rows_are_judged_where_the_configuration_says_so(study: HealthyStudy) -> None:
    study.configure({"headroom": {"rows": "all"}})
    study.change("wer/base/domain.json", {"all": ALL_ROWS})
    study.change("paired/lora/domain.json", {"all": {"outcome": "worse", "delta": 0.01}})
    verdict = study.verdict()
    assert check_of(verdict, "headroom.baseline", manifest="domain").value == 0.2
    outcome = next(run for run in verdict.runs if run.manifest == "domain")
    assert (outcome.outcome, outcome.delta) == ("worse", 0.01)
    assert "adapter.worsens" in codes(verdict)
