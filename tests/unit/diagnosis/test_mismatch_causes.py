"""D1: texts that belong to other rows: a few warn, many block, and weak models or missing facts accuse nobody."""

from __future__ import annotations

from healthy import HealthyStudy, cause_of, check_of, codes
from healthy_data import mismatched, mismatches

CODE = "data.transcript_mismatch"


def test_texts_where_they_belong(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert check_of(verdict, "data.texts", manifest="domain").status == "pass"
    assert "64 sampled rows of train fits no other" in check_of(verdict, "data.texts", manifest="train").summary
    assert CODE not in codes(verdict)


def test_two_swapped_texts_warn_and_are_named(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 200, mismatched(3, 9), mismatched(9, 3))
    verdict = study.verdict()
    cause = cause_of(verdict, CODE)
    assert (cause.severity, cause.manifest) == ("warns", "domain")
    assert (
        "2 of 200 rows of domain (1.0 %; line 3 differs from its own text in 80.0 % of the characters" in cause.because
    )
    assert "from line 9's in 10.0 %" in cause.because
    assert "slipped" not in cause.because
    assert "correct the texts of line 3 (it says line 9's) and line 9 (it says line 3's) of domain." in cause.remedy
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


def test_texts_that_slipped_block_and_explain_a_broken_baseline(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches(
        "domain", 200, 200, *(mismatched(i, i - 1) for i in range(2, 180))
    )
    wer = study.files["wer/base/domain.json"]
    wer["within"] |= {"wer": 0.95, "errors": round(0.95 * wer["within"]["words"])}
    verdict = study.verdict()
    cause = cause_of(verdict, CODE)
    assert cause.severity == "blocks"
    assert "in 178 of the 178 that text stands 1 line further up: the texts have slipped" in cause.because
    assert "between lines 2 and 179 a row's text stands 1 line further up" in cause.remedy
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
    assert "Only 64 of its rows were listened to" in verdict.causes[0].remedy
    assert "results/labels.hypotheses.jsonl" in verdict.causes[0].evidence
    assert "and 21 more" in verdict.causes[0].remedy


def test_what_nobody_compared_is_unknown(study: HealthyStudy) -> None:
    study.files["mismatches/domain.json"] = mismatches("domain", 200, 0)
    study.remove("mismatches/test.json")
    verdict = study.verdict()
    assert check_of(verdict, "data.texts", manifest="domain").status == "unknown"
    assert check_of(verdict, "data.texts", manifest="test").status == "unknown"
    study.configure({"model": None})
    assert not [c for c in study.verdict().checks if c.id == "data.texts" and c.manifest == "train"]
