"""Enough training rows, and rows that can be used."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, option
from healthy_data import measures

from lora.records.manifests import NO_DURATION


def starve(study: HealthyStudy, train_rows: int, sufficient: float | None, options: list[dict[str, Any]]) -> None:
    study.change("max_seconds.json", {"max_seconds": 8.0})
    status = "judged_starving" if sufficient else "none_sufficient"
    changes = {"max_seconds": 8.0, "status": status, "sufficient": sufficient, "options": options}
    study.change("durations/decision.json", changes)
    study.set_sizes(train=train_rows, val=14, too_long=200)


def test_healthy_data_has_no_cause(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("data.")]
    assert check_of(verdict, "data_sufficiency").status == "pass"


def test_a_filter_that_starves_training_names_the_threshold_that_would_not(study: HealthyStudy) -> None:
    starve(study, 130, 10.0, [option(8, 130), option(10, 230)])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.filter_starves_training")
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.manifest) == ("blocks", "train")
    assert cause.details == {"rows": 130, "needed": 200, "max_seconds": 8, "better": 10, "better_rows": 230}
    assert verdict.ready_for_sweep is False
    assert check_of(verdict, "data_sufficiency").status == "fail"


def test_too_few_rows_at_every_threshold_says_how_many_are_missing(study: HealthyStudy) -> None:
    starve(study, 80, None, [option(8, 80), option(20, 150)])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.too_few_samples")
    assert verdict.causes[0] == cause
    assert (cause.details["most"], cause.details["at"], cause.details["missing_rows"]) == (150, 20, 50)
    assert cause.details["add"] == {"rows": 56, "max_seconds": 20, "hours": pytest.approx(56 / 400)}
    assert "data.filter_starves_training" not in codes(verdict)


def test_no_row_at_all_blocks_once_though_training_was_impossible_too(study: HealthyStudy) -> None:
    starve(study, 0, None, [option(8, 0)])
    no_row = {"status": "impossible", "code": "data.too_few_samples", "message": "the training split has no rows"}
    study.change("adapters/lora/train.json", no_row)
    study.change("effect/lora.json", no_row)
    study.change("labels.json", no_row)
    verdict = study.verdict()
    assert codes(verdict).count("data.too_few_samples") == 1
    assert verdict.causes[0].code == "data.too_few_samples"
    assert verdict.causes[0].details["missing_rows"] == 200
    assert check_of(verdict, "adapter_change").status == "unknown"


def test_a_starving_filter_that_leaves_no_row_is_still_the_filter(study: HealthyStudy) -> None:
    starve(study, 0, 10.0, [option(8, 0), option(10, 230)])
    no_row = {"status": "impossible", "code": "data.too_few_samples", "message": "the training split has no rows"}
    study.change("adapters/lora/train.json", no_row)
    verdict = study.verdict()
    assert verdict.causes[0].code == "data.filter_starves_training"
    assert "data.too_few_samples" not in codes(verdict)


def test_exactly_enough_rows_are_enough(study: HealthyStudy) -> None:
    study.set_sizes(train=200, val=20, too_long=0)
    assert check_of(study.verdict(), "data_sufficiency").status == "pass"
    study.set_sizes(train=199, val=20, too_long=0)
    assert check_of(study.verdict(), "data_sufficiency").status == "fail"


@pytest.mark.parametrize("code", ["data.filter_starves_training", "data.too_few_samples"])
def test_remedies_of_data_name_no_hyperparameter(study: HealthyStudy, code: str) -> None:
    options = [option(8, 130), option(10, 230)] if code == "data.filter_starves_training" else [option(8, 130)]
    starve(study, 130, 10.0 if code == "data.filter_starves_training" else None, options)
    remedy = cause_of(study.verdict(), code).remedy
    assert not [word for word in ("learning", "rank", "step", "alpha", "dropout") if word in remedy]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("missing file: audio/3.ogg", "data.unreadable_audio"),
        ("unreadable audio: no audio in a format that libsndfile reads", "data.unreadable_audio"),
        ("zero length", "data.unreadable_audio"),
        ("empty text", "data.empty_transcripts"),
        ("duplicate id, first used in line 3", "data.duplicates"),
    ],
)
def test_rejected_rows_become_causes_by_kind(study: HealthyStudy, reason: str, code: str) -> None:
    study.set_rows("domain", 198, rejected=(reason, reason))
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert (cause.severity, cause.manifest) == ("warns", "domain")
    assert (cause.details["affected"], cause.details["rows"], cause.details["lines"]) == (2, 200, [199, 200])
    assert cause.evidence == ["results/manifests/domain.rejected.tsv"]
    assert check_of(verdict, "data.rejected_rows", manifest="domain").status == "fail"
    assert verdict.ready_for_sweep is True


def test_rows_without_duration_are_recognised(study: HealthyStudy) -> None:
    reason = f"{NO_DURATION}, and there is no file to read it from"
    study.set_rows("train", 358, rejected=(reason, reason))
    assert cause_of(study.verdict(), "data.unreadable_audio").details["no_duration"] is True
    study.set_rows("train", 358, rejected=(reason, "missing file: a.ogg"))
    assert cause_of(study.verdict(), "data.unreadable_audio").details["no_duration"] is False


def test_rejected_rows_within_the_tolerated_share_only_warn_in_the_check(study: HealthyStudy) -> None:
    study.configure({"integrity": {"max_unreadable": 0.02}})
    study.set_rows("domain", 198, rejected=("missing file: a.ogg",) * 2)
    verdict = study.verdict()
    assert "data.unreadable_audio" not in codes(verdict)
    assert check_of(verdict, "data.rejected_rows", manifest="domain").status == "warn"


def test_a_broken_line_raises_no_cause_but_is_named(study: HealthyStudy) -> None:
    study.set_rows("domain", 199, rejected=("broken line: not JSON",))
    verdict = study.verdict()
    assert check_of(verdict, "data.rejected_rows", manifest="domain").details["kinds"] == ["broken line"]
    assert not [code for code in codes(verdict) if code.startswith("data.")]


def test_training_audio_beyond_the_window(study: HealthyStudy) -> None:
    study.change("durations/decision.json", {"model_window_seconds": 30.0})
    assert "data.exceeds_model_window" not in codes(study.verdict())
    study.set_audio("train", measures(360, seconds=31.0))
    cause = cause_of(study.verdict(), "data.exceeds_model_window")
    assert (cause.details["affected"], cause.details["rows"], cause.details["window"]) == (1, 360, 30)


def test_a_window_that_is_configured_counts_before_that_of_the_family(study: HealthyStudy) -> None:
    study.change("durations/decision.json", {"model_window_seconds": 30.0})
    study.configure({"model": {"max_audio_seconds": 3}})
    causes = [cause for cause in study.verdict().causes if cause.code == "data.exceeds_model_window"]
    assert {cause.manifest for cause in causes} >= {"train", "domain"}


def test_evaluation_audio_beyond_the_window(study: HealthyStudy) -> None:
    for run in ("base", "lora"):
        study.change(f"transcripts/{run}/domain.settings.json", {"model": {"window_seconds": 30.0}})
    assert "data.exceeds_model_window" not in codes(study.verdict())
    study.files["wer/base/domain.json"]["utterances"][7]["duration"] = 31.0
    cause = cause_of(study.verdict(), "data.exceeds_model_window")
    assert cause.manifest == "domain"
    assert (cause.details["affected"], cause.details["rows"]) == (1, 20)


def test_an_empty_manifest_fails(study: HealthyStudy) -> None:
    study.set_rows("test", 0)
    check = check_of(study.verdict(), "data.rejected_rows", manifest="test")
    assert (check.status, check.reason, check.value) == ("fail", "empty", 0)


def test_rejected_rows_count_as_missing_rows(study: HealthyStudy) -> None:
    starve(study, 0, None, [])
    study.set_rows("train", 0, rejected=("missing file: a.ogg",) * 360)
    cause = study.verdict().causes[0]
    assert cause.code == "data.too_few_samples"
    assert (cause.details["rejected"], cause.details["missing_rows"]) == (360, 200)
    assert "results/manifests/train.rejected.tsv" in cause.evidence
    starve(study, 150, None, [option(8, 150)])
    study.set_rows("train", 167, rejected=("missing file: a.ogg",) * 10)
    details = study.verdict().causes[0].details
    assert (details["rejected"], details["missing_rows"], details["add"]["rows"]) == (10, 50, 56)


def test_wrong_durations_are_to_be_corrected_before_rows_are_added(study: HealthyStudy) -> None:
    starve(study, 0, None, [option(8, 0)])
    study.set_audio("train", [m | {"manifest_duration": 4000.0} for m in measures(200)])
    verdict = study.verdict()
    assert verdict.causes[0].code == "data.too_few_samples"
    assert verdict.causes[0].details["wrong_durations"] == 200
    assert "results/integrity/train.tsv" in verdict.causes[0].evidence
    assert cause_of(verdict, "data.wrong_durations").details["unit"] == "milliseconds"
    assert cause_of(verdict, "data.wrong_durations").severity == "warns"


def test_too_few_rows_are_a_consequence_of_wrong_durations_that_alone_make_them_so(study: HealthyStudy) -> None:
    starve(study, 0, None, [option(8, 0), option(10, 0)])
    study.set_audio("train", [m | {"manifest_duration": 4000.0} for m in measures(360)])
    no_row = {"status": "impossible", "code": "data.too_few_samples", "message": "the training split has no rows"}
    study.change("adapters/lora/train.json", no_row)
    verdict = study.verdict()
    cause = verdict.causes[0]
    assert (cause.code, cause.severity, cause.manifest) == ("data.wrong_durations", "blocks", "train")
    assert cause.reason == "starve_training"
    assert (cause.details["threshold"], cause.details["affected"]) == (8, 360)
    assert (cause.details["rows_by_manifest"], cause.details["rows_by_audio"]) == (0, 324)
    assert [(other["reason"], other["unit"]) for other in cause.details["also"]] == [
        ("wrong_durations", "milliseconds")
    ]
    assert "data.too_few_samples" not in codes(verdict)
    assert check_of(verdict, "data_sufficiency").status == "fail"
    assert verdict.ready_for_sweep is False
    # without a limit rows may be enough, but the configured filter cannot be applied
    study.change("durations/decision.json", {"max_seconds": None})
    study.change("max_seconds.json", {"max_seconds": None})
    study.set_sizes(train=324, val=36, too_long=0)
    assert cause_of(study.verdict(), "data.wrong_durations").severity == "blocks"


def test_wrong_durations_that_cost_no_rows_warn(study: HealthyStudy) -> None:
    study.set_audio("train", measures(360, manifest_duration=4000.0))
    assert cause_of(study.verdict(), "data.wrong_durations").severity == "warns"


def test_durations_that_leave_nothing_of_an_evaluation_manifest_block(study: HealthyStudy) -> None:
    study.set_audio("domain", [m | {"manifest_duration": 4000.0} for m in measures(200)])
    for m in ("domain", "test"):
        empty = study.files[f"wer/base/{m}.json"]["within"] | {"utterances": 0, "words": 0, "errors": 0, "wer": None}
        study.files[f"wer/base/{m}.json"]["within"] = empty
    assert cause_of(study.verdict(), "data.wrong_durations").severity == "blocks"
