"""Mismatched transcripts: a few warn, many block; weak models and missing facts raise no cause."""

from __future__ import annotations

from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import mismatched, mismatches

CODE = "data.transcript_mismatch"


def test_matching_transcripts_pass(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert check_of(verdict, "data.texts", manifest="domain").status == "pass"
    check = check_of(verdict, "data.texts", manifest="train")
    assert (check.status, check.details["compared"], check.details["mismatched"]) == ("pass", 64, 0)
    assert CODE not in codes(verdict)


def test_two_swapped_transcripts_warn_and_are_named(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200, mismatched(3, 9), mismatched(9, 3))
    verdict = study.verdict()
    cause = cause_of(verdict, CODE)
    assert (cause.severity, cause.manifest, cause.reason) == ("warns", "domain", "mismatched")
    assert (cause.details["mismatched"], cause.details["compared"], cause.details["share"]) == (2, 200, 0.01)
    assert cause.details["first"] == [
        {"row": "line 3", "own_distance": 0.8, "other": "line 9", "other_distance": 0.1},
        {"row": "line 9", "own_distance": 0.8, "other": "line 3", "other_distance": 0.1},
    ]
    assert cause.details["offset"] is None
    assert cause.evidence == ["results/mismatches/domain.json", "results/transcripts/base/domain.jsonl"]
    assert verdict.ready_for_sweep is True


def test_a_tolerated_share_warns_in_the_check_alone(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200, mismatched(3, 9))
    verdict = study.verdict()
    assert CODE not in codes(verdict)
    assert check_of(verdict, "data.texts", manifest="domain").status == "warn"


def test_another_text_must_fit_clearly_better(study: HealthyStudy) -> None:
    nearly = [mismatched(i, i + 50, 0.8, 0.5) for i in range(1, 40)]
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200, *nearly)
    assert CODE not in codes(study.verdict())


def test_shifted_transcripts_block_and_explain_a_broken_baseline(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches(
        "domain", 200, 200, *(mismatched(i, i - 1) for i in range(2, 180))
    )
    wer = study.files["wer/base/domain.json"]
    wer["within"] |= {"wer": 0.95, "errors": round(0.95 * wer["within"]["words"])}
    verdict = study.verdict()
    cause = cause_of(verdict, CODE)
    assert (cause.severity, cause.reason) == ("blocks", "shifted")
    assert (cause.details["offset"], cause.details["shifted"], cause.details["mismatched"]) == (-1, 178, 178)
    assert (cause.details["first_line"], cause.details["last_line"]) == (2, 179)
    assert "headroom.baseline_broken" not in codes(verdict)
    assert check_of(verdict, "headroom.baseline_works", manifest="domain").status == "fail"
    assert verdict.ready_for_sweep is False
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200)
    assert "headroom.baseline_broken" in codes(study.verdict())


def test_training_is_judged_by_its_sample(study: HealthyStudy) -> None:
    shuffled = [mismatched(5 * i, 7 * i + 1) for i in range(1, 30)]
    study.files["mismatches/train.json"] = mismatches("train", 360, 64, *shuffled)
    verdict = study.verdict()
    assert (verdict.causes[0].code, verdict.causes[0].severity) == (CODE, "blocks")
    assert (verdict.causes[0].details["compared"], verdict.causes[0].details["rows"]) == (64, 360)
    assert "results/labels.hypotheses.jsonl" in verdict.causes[0].evidence
    assert (verdict.causes[0].details["mismatched"], len(verdict.causes[0].details["first"])) == (29, 10)


def test_uncompared_transcripts_are_unknown(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 0)
    study.remove("mismatches/test.json")
    verdict = study.verdict()
    assert check_of(verdict, "data.texts", manifest="domain").status == "unknown"
    assert check_of(verdict, "data.texts", manifest="test").status == "unknown"
    study.configure({"model": None})
    assert not [c for c in study.verdict().checks if c.id == "data.texts" and c.manifest == "train"]
