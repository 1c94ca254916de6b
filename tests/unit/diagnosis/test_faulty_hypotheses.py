"""Hypotheses that are no transcripts explain a run's WER, whatever its interval says."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes, interval, utterance
from healthy_data import mismatched, mismatches

BROKEN, SILENCE, COPIED = "adapter.broken_hypotheses", "adapter.words_in_silence", "parity.copied_references"
WIDE = {"delta": 0.9, "interval": interval(-0.1, 1.9), "outcome": "underpowered", "detectable_difference": 1.4}


def fault(rows: int, kind: str = "one_token") -> dict[str, Any]:
    return {"kind": kind, "rows": rows, "ids": [f"domain-{n}" for n in range(rows)], "example": "!!!!"}


@pytest.mark.parametrize(
    "kind", ["one_token", "empty", "same_text", "prompt", "ending", "other_script", "other_language"]
)
def test_many_faulty_hypotheses_block_whatever_the_interval(study: HealthyStudy, kind: str) -> None:
    study.change("paired/lora/domain.json", {"within": WIDE})
    study.change("wer/lora/domain.json", {"faults": [fault(40, kind)]})
    verdict = study.verdict()
    cause = cause_of(verdict, BROKEN)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.reason, cause.run, cause.manifest) == ("blocks", "faulty", "lora", "domain")
    (sign,) = cause.details["signs"]
    assert (sign["sign"], sign["count"], sign["utterances"], sign["text"]) == (kind, 40, 200, "!!!!")
    assert check_of(verdict, "adapter.hypotheses", "lora", "domain").value == 0.2
    assert check_of(verdict, "headroom.power", manifest="domain").details["spread_of"] is None


def test_loops_of_a_run_whose_interval_includes_zero(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"within": WIDE})
    loops = [{"id": f"domain-{n}", "words": "and then", "times": 9} for n in range(40)]
    study.change("wer/lora/domain.json", {"loops": loops})
    cause = cause_of(study.verdict(), BROKEN)
    assert [sign["sign"] for sign in cause.details["signs"]] == ["loops"]
    assert "no_repeat_ngram_size" in cause.remedy


@pytest.mark.parametrize(("words_in_loop", "blocks"), [(600, True), (3, False)])
def test_a_single_loop_counts_if_it_carries_the_wer(study: HealthyStudy, words_in_loop: int, blocks: bool) -> None:
    study.change("paired/lora/domain.json", {"within": WIDE})
    rows = [{**utterance(f"domain-{n}"), "insertions": words_in_loop if n == 7 else 0} for n in range(200)]
    study.change("wer/base/domain.json", {"utterances": [utterance(f"domain-{n}") for n in range(200)]})
    loop = {"id": "domain-7", "words": "what", "times": words_in_loop}
    study.change("wer/lora/domain.json", {"loops": [loop], "utterances": rows})
    verdict = study.verdict()
    assert (verdict.causes[0].code == BROKEN) is blocks
    if blocks:
        assert verdict.causes[0].severity == "blocks"
        assert verdict.causes[0].details["signs"][0]["share_of_errors"] == pytest.approx(602 / 1000)
        assert check_of(verdict, "headroom.power", manifest="domain").details["spread_of"] is None
    study.change("wer/base/domain.json", {"loops": [loop], "utterances": rows})
    assert BROKEN not in codes(study.verdict())


def test_texts_of_other_rows_are_what_wrong_training_texts_teach(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"within": WIDE})
    study.change("wer/lora/domain.json", {"faults": [fault(40, "other_text")]})
    assert study.verdict().causes[0].code == BROKEN
    swapped = [mismatched(line, 5 * line % 61) for line in range(1, 30)]
    study.files["mismatches/train.json"] = mismatches("train", 360, 64, *swapped)
    verdict = study.verdict()
    assert verdict.causes[0].code == "data.transcript_mismatch"
    assert cause_of(verdict, BROKEN).severity == "warns"
    study.change("wer/lora/domain.json", {"faults": [fault(40, "one_token")]})
    assert cause_of(study.verdict(), BROKEN).severity == "blocks"


def test_wrong_labels_teach_faulty_hypotheses(study: HealthyStudy) -> None:
    study.change("wer/lora/domain.json", {"faults": [fault(40)]})
    study.change("paired/lora/domain.json", {"within": WIDE})
    study.change("labels.json", {"structure": {"single_eos": 0.0}})
    verdict = study.verdict()
    assert (verdict.causes[0].code, verdict.causes[0].severity) == ("labels.construction", "blocks")
    assert cause_of(verdict, BROKEN).severity == "warns"


def test_a_better_run_with_faulty_hypotheses_warns(study: HealthyStudy) -> None:
    study.change("wer/lora/domain.json", {"faults": [fault(40)]})
    verdict = study.verdict()
    assert cause_of(verdict, BROKEN).severity == "warns"
    assert verdict.ready_for_sweep is True


def test_faults_that_the_baseline_has_too_are_not_the_runs(study: HealthyStudy) -> None:
    for run in ("base", "lora"):
        study.change(f"wer/{run}/domain.json", {"faults": [fault(40)]})
    assert BROKEN not in codes(study.verdict())


def test_a_few_faulty_hypotheses_are_no_cause(study: HealthyStudy) -> None:
    study.change("wer/lora/domain.json", {"faults": [fault(20)]})
    verdict = study.verdict()
    assert BROKEN not in codes(verdict)
    assert check_of(verdict, "adapter.hypotheses", "lora", "domain").reason == "ok"


def test_a_training_that_is_too_strong_is_the_cause(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"within": WIDE})
    study.change("wer/lora/domain.json", {"faults": [fault(40)]})
    study.change("adapters/lora/train.json", {"validation": [{"step": 20, "loss": 0.4}, {"step": 100, "loss": 0.9}]})
    found = codes(study.verdict())
    assert "training.overfit" in found
    assert BROKEN not in found


def test_a_baseline_of_faulty_hypotheses_is_broken(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"faults": [fault(120)]})
    cause = cause_of(study.verdict(), "headroom.baseline_broken")
    assert [sign["sign"] for sign in cause.details["signs"]] == ["one_token"]
    assert "float32" in cause.remedy
    study.change("wer/base/domain.json", {"faults": [fault(90)]})
    assert "headroom.baseline_broken" not in codes(study.verdict())


def silent(words: dict[str, int]) -> list[dict[str, Any]]:
    rows = [utterance(f"domain-{n}") for n in range(20)]
    for row in rows:
        count = words.get(row["id"])
        if count is not None:
            edits = [[0, None, "bye"]] * count
            row |= {"words": 0, "hits": 0, "substitutions": 0, "insertions": count, "edits": edits}
    return rows


def test_words_in_silence_are_counted(study: HealthyStudy) -> None:
    ids = [f"domain-{n}" for n in range(8)]
    study.change("wer/base/domain.json", {"utterances": silent(dict.fromkeys(ids, 0) | {"domain-1": 1})})
    study.change("wer/lora/domain.json", {"utterances": silent(dict.fromkeys(ids, 4))})
    cause = cause_of(study.verdict(), SILENCE)
    (sign,) = cause.details["signs"]
    assert (sign["count"], sign["utterances"], sign["words"], sign["words_before"]) == (8, 8, 32, 1)
    assert (cause.severity, sign["text"]) == ("warns", "bye bye bye bye")


def test_words_in_one_silent_row_may_be_an_accident(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", {"utterances": silent({"domain-1": 0, "domain-2": 0})})
    study.change("wer/lora/domain.json", {"utterances": silent({"domain-1": 5, "domain-2": 0})})
    assert SILENCE not in codes(study.verdict())


def copies(equal: int, styled: bool = True, rows: int = 120, words: int = 1200) -> dict[str, Any]:
    counts = {"styled": rows, "equal_styled": equal} if styled else {"styled": 0, "equal_styled": 0}
    return {"copied": {"rows": rows, "words": words, "equal": equal, **counts}}


@pytest.fixture
def external(study: HealthyStudy) -> HealthyStudy:
    study.config["candidates"] = {}
    study.add_run("theirs", "hypotheses")
    study.change("wer/base/domain.json", copies(30))
    return study


@pytest.mark.parametrize(("equal", "styled"), [(115, True), (120, False)])
def test_copied_references_block(external: HealthyStudy, equal: int, styled: bool) -> None:
    external.change("wer/base/domain.json", copies(30, styled))
    external.change("wer/theirs/domain.json", copies(equal, styled))
    verdict = external.verdict()
    cause = cause_of(verdict, COPIED)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run, cause.manifest) == ("blocks", "theirs", "domain")
    assert (cause.details["equal"], cause.details["rows"], cause.details["styled"]) == (equal, 120, styled)


@pytest.mark.parametrize(
    ("base", "theirs"),
    [
        (copies(30), copies(113)),  # 94 %
        (copies(70), copies(118)),  # the baseline writes in this style too
        (copies(2, rows=9), copies(9, rows=9)),  # few long references
        (copies(10, styled=False, words=480), copies(120, styled=False, words=480)),  # few plain words
        (copies(10, styled=False), copies(119, styled=False)),  # a plain text with an error
    ],
)
def test_strong_models_copy_nothing(external: HealthyStudy, base: dict[str, Any], theirs: dict[str, Any]) -> None:
    external.change("wer/base/domain.json", base)
    external.change("wer/theirs/domain.json", theirs)
    verdict = external.verdict()
    assert COPIED not in codes(verdict)
    assert check_of(verdict, "parity.texts", "theirs", "domain").status == "pass"


def test_a_run_of_this_software_is_no_copy(study: HealthyStudy) -> None:
    study.change("wer/base/domain.json", copies(30))
    study.change("wer/lora/domain.json", copies(120))
    assert COPIED not in codes(study.verdict())


def test_a_copied_baseline_blocks_where_both_are_external(external: HealthyStudy) -> None:
    external.config["model"] = None
    external.config["base"] = {"hypotheses": {"domain": "texts.jsonl"}}
    external.change("wer/base/domain.json", copies(120))
    external.change("wer/theirs/domain.json", copies(30))
    assert cause_of(external.verdict(), COPIED).run == "base"
