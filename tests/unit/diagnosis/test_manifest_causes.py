"""Pieces of recordings, characters, speakers, speed and rejected rows: each fault, and what only looks like it."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import dropped, manifest_facts, measures, mismatched, mismatches

from lora.diagnosis.data.speed import rate_factor
from lora.scoring.shares import share_interval


def piece(line: int) -> dict[str, Any]:
    return {"line": line, "id": f"r{line}", "other_line": line - 1, "other_id": f"r{line - 1}", "shared_seconds": 3.2}


@pytest.mark.parametrize(("overlapping", "severity"), [(2, "warns"), (30, "blocks")])
def test_overlapping_pieces(study: HealthyStudy, overlapping: int, severity: str) -> None:
    pieces = [piece(line) for line in range(2, overlapping + 2)]
    study.files["manifests/train.facts.json"] = manifest_facts(360, shared_recordings=360, overlapping=pieces)
    verdict = study.verdict()
    cause = cause_of(verdict, "data.wrong_offsets")
    assert (cause.severity, cause.manifest, cause.details["affected"]) == (severity, "train", overlapping)
    assert cause.evidence == ["results/manifests/train.facts.json"]
    study.files["manifests/train.facts.json"] = manifest_facts(360, shared_recordings=360)
    assert check_of(study.verdict(), "data.pieces", manifest="train").status == "pass"


def odd(rows: int) -> dict[str, Any]:
    one = {"code_point": "U+200B", "name": "ZERO WIDTH SPACE", "kind": "invisible", "rows": rows, "lines": [1, 4]}
    return manifest_facts(200, odd_characters=[one], odd_rows=rows)


def test_invisible_characters(study: HealthyStudy) -> None:
    study.files["manifests/domain.facts.json"] = odd(67)
    cause = cause_of(study.verdict(), "data.odd_characters")
    assert (cause.severity, cause.manifest, cause.details["affected"]) == ("warns", "domain", 67)
    assert "U+200B ZERO WIDTH SPACE in 67 rows (line 1, 4 and 65 more)" in cause.because
    assert "U+200B" in cause.remedy
    study.files["manifests/domain.facts.json"] = odd(2)
    verdict = study.verdict()
    assert "data.odd_characters" not in codes(verdict)
    assert check_of(verdict, "data.invisible_text", manifest="domain").status == "warn"


def test_one_speaker_in_every_row(study: HealthyStudy) -> None:
    study.files["manifests/train.facts.json"] = manifest_facts(360, speakers=1)
    cause = cause_of(study.verdict(), "data.constant_speaker")
    assert (cause.severity, cause.details["column"]) == ("warns", "speaker")
    study.files["manifests/train.facts.json"] = manifest_facts(360, speakers=None)
    assert "data.constant_speaker" not in codes(study.verdict())
    study.configure({"split": {"by_speaker": False}})
    study.files["manifests/train.facts.json"] = manifest_facts(360, speakers=1)
    assert "data.constant_speaker" not in codes(study.verdict())


def slower(rows: int, factor: float, **changes: Any) -> list[dict[str, Any]]:
    seconds = 4.0 * factor
    return [m | {"seconds": seconds, "manifest_duration": seconds} | changes for m in measures(rows)]


def test_training_at_half_speed(study: HealthyStudy) -> None:
    study.set_audio("train", slower(360, 2, rate=8000))
    verdict = study.verdict()
    cause = cause_of(verdict, "data.wrong_sampling_rate")
    assert (cause.severity, cause.manifest, cause.reason) == ("blocks", "train", "unlike_others")
    assert (cause.details["factor"], cause.details["right_rate"], cause.details["other"]) == (0.5, 16000, "domain")
    assert verdict.causes[0] == cause


def test_slow_readers_are_no_wrong_rate(study: HealthyStudy) -> None:
    study.set_audio("train", slower(360, 1.4))
    assert "data.wrong_sampling_rate" not in codes(study.verdict())
    study.set_audio("train", slower(360, 1.75))
    assert cause_of(study.verdict(), "data.wrong_sampling_rate").severity == "warns"


def test_the_domain_is_at_fault_where_general_speech_is_like_training(study: HealthyStudy) -> None:
    study.set_audio("domain", slower(200, 0.5))
    assert cause_of(study.verdict(), "data.wrong_sampling_rate").manifest == "domain"


def test_files_of_one_sampling_rate_at_another_speed(study: HealthyStudy) -> None:
    study.set_audio("train", [*measures(260), *slower(100, 2, rate=8000)])
    cause = cause_of(study.verdict(), "data.wrong_sampling_rate")
    assert (cause.reason, cause.details["affected"], cause.details["right_rate"]) == ("one_sampling_rate", 100, 16000)


EVERYWHERE = ("train", "domain", "heldout", "test")


@pytest.mark.parametrize(("factor", "limit"), [(4, 4.0), (0.7, 20.0)])  # 15 letters per second otherwise
def test_all_manifests_beyond_any_language(study: HealthyStudy, factor: float, limit: float) -> None:
    for name in EVERYWHERE:
        study.set_audio(name, slower(40, factor))
    verdict = study.verdict()
    (cause,) = [c for c in verdict.causes if c.code == "data.wrong_sampling_rate"]
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "train", "unlike_language")
    assert cause.details["usual"] == limit
    assert check_of(verdict, "data.speed", manifest="domain").reason == "unlike_language"


@pytest.mark.parametrize("changes", [{"seconds": 7.5}, {"seconds": 3.5}, {"characters": 3, "seconds": 1.0}])
def test_slow_speech_fast_speech_and_single_words_are_plausible(study: HealthyStudy, changes: dict[str, Any]) -> None:
    for name in EVERYWHERE:
        study.set_audio(name, slower(40, 1, **changes))
    assert "data.wrong_sampling_rate" not in codes(study.verdict())


@pytest.mark.parametrize(
    ("factor", "quotient"), [(2.0, 2.0), (0.5, 0.5), (2.02, 2.0), (1.38, 22050 / 16000), (1.7, None), (1.05, None)]
)
def test_quotients_of_sampling_rates(factor: float, quotient: float | None) -> None:
    assert rate_factor(factor, 0.02) == quotient


def test_durations_wrong_by_the_factor_of_two_rates(study: HealthyStudy) -> None:
    study.set_audio("train", [m | {"manifest_duration": 8.0} for m in measures(360)])
    cause = cause_of(study.verdict(), "data.wrong_durations")
    assert cause.details["factor"] == 2.0
    study.set_audio("train", [m | {"manifest_duration": 6.7} for m in measures(360)])
    assert cause_of(study.verdict(), "data.wrong_durations").details["factor"] is None


def test_the_filter_is_not_judged_by_wrong_durations(study: HealthyStudy) -> None:
    study.files["durations/retention.json"]["dropped"][-1] = dropped(10, lost_speakers=["s1", "s2", "s3"])
    study.files["durations/retention.json"]["dropped"][-1]["lost_speaker_probabilities"] = [0.0] * 3
    assert "data.filter_biased" in codes(study.verdict())
    study.set_audio("train", [m | {"manifest_duration": 8.0} for m in measures(360)])
    verdict = study.verdict()
    assert "data.filter_biased" not in codes(verdict)
    assert check_of(verdict, "data.filtered_rows").reason == "wrong_durations"


@pytest.mark.parametrize(("rejected", "severity"), [(5, "warns"), (120, "blocks")])
def test_rows_rejected_for_another_reason(study: HealthyStudy, rejected: int, severity: str) -> None:
    study.set_rows("train", 360, rejected=("duration is not a number: 'six'",) * rejected)
    cause = cause_of(study.verdict(), "data.unusable_rows")
    assert (cause.severity, cause.details["affected"]) == (severity, rejected)
    assert cause.details["reasons"] == [{"reason": "duration is not a number: 'six'", "rows": rejected}]


@pytest.mark.parametrize(("silent", "severity"), [(36, "warns"), (108, "blocks")])
def test_many_silent_training_rows_block(study: HealthyStudy, silent: int, severity: str) -> None:
    rows = measures(360)
    study.set_audio("train", [m | {"level": -80.0} for m in rows[:silent]] + rows[silent:])
    assert cause_of(study.verdict(), "data.silent_audio").severity == severity


@pytest.mark.parametrize(("found", "severity"), [(1, None), (2, "warns"), (6, "blocks")])
def test_a_sample_is_judged_by_its_interval(study: HealthyStudy, found: int, severity: str | None) -> None:
    rows = [mismatched(10 * i, 7 * i + 3) for i in range(1, found + 1)]
    study.files["mismatches/train.json"] = mismatches("train", 360, 64, *rows)
    raised = [c for c in study.verdict().causes if c.code == "data.transcript_mismatch"]
    assert [c.severity for c in raised] == ([severity or "warns"])


def test_interval_of_a_share() -> None:
    low, high = share_interval(3, 32)
    assert (round(low, 4), round(high, 4)) == (0.0198, 0.2502)  # Clopper & Pearson, 95 %
    assert share_interval(0, 10)[0] == 0.0
    assert share_interval(10, 10)[1] == 1.0


def test_training_rows_unlike_their_texts(study: HealthyStudy) -> None:
    unlike = {"suspects": 30, "suspect_lines": list(range(1, 11))}
    study.files["mismatches/train.json"] = mismatches("train", 360, 32) | unlike
    cause = cause_of(study.verdict(), "data.transcript_mismatch")
    assert (cause.severity, cause.reason, cause.details["other"]) == ("blocks", "unlike", "domain")
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200) | {"suspects": 170}
    assert "data.transcript_mismatch" not in codes(study.verdict())
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200)
    study.files["mismatches/train.json"] = mismatches("train", 360, 32) | {"suspects": 3}
    assert "data.transcript_mismatch" not in codes(study.verdict())


def test_telephone_speech_in_every_manifest_is_one_piece_of_information(study: HealthyStudy) -> None:
    for manifest, rows in (("train", 360), ("heldout", 120), ("domain", 200), ("test", 12)):
        study.set_audio(manifest, [m | {"bandwidth": 4000.0} for m in measures(rows)])
    verdict = study.verdict()
    cause = cause_of(verdict, "data.sample_rate_mismatch")
    assert (cause.severity, cause.manifest, cause.reason) == ("info", None, "narrowband_everywhere")
    assert (cause.details["affected"], cause.details["rows"]) == (692, 692)
    assert verdict.ready_for_sweep is True
    study.set_audio("domain", measures(200))
    assert sum(c.code == "data.sample_rate_mismatch" for c in study.verdict().causes) == 3
