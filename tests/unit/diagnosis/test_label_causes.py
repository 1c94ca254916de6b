"""D4: each fault of labels or loss turns one check red, and its neighbours stay green."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"structure": {"ends_with_eos": 0.0}}, "labels.construction", "labels.structure", "100 % do not end with the end"),
    (
        {"structure": {"start_is_right": 0.5}},
        "labels.construction",
        "labels.structure",
        "50.0 % do not start",
    ),
    ({"structure": {"padding_ignored": 0.9}}, "labels.construction", "labels.structure", "padding that counts"),
    ({"structure": {"prefix_matches_generation": 0.0}}, "labels.construction", "labels.structure", "another prefix"),
    ({"own": {"argmax_agreement": 0.94}}, "labels.construction", "labels.own_texts", "predicts 94.0 % of 2,400 tokens"),
    ({"loss": {"trainer": 9.40}}, "labels.loss_misaligned", "labels.loss", "shifted by one token (9.410)"),
    ({"loss": {"trainer": None}}, "labels.loss_misaligned", "labels.loss", "is not finite"),
    ({"loss": {"trainer": 0.40}}, "labels.loss_misaligned", "labels.loss", "matches neither alignment"),
    (
        {"reference_style": {"upper_case": 1.0, "sentence_case": 0.0}, "reference_nll": 4.2},
        "labels.style_mismatch",
        "labels.style",
        "100 % of the training transcripts are written in upper case only, against 0 %",
    ),
    (
        {"reference_style": {"with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}},
        "labels.style_mismatch",
        "labels.style",
        "0 % of the training transcripts are ended by a punctuation mark, against 100 %",
    ),
    (
        {"reference_nll": 1.9, "restyled_nll": 0.9},
        "labels.style_mismatch",
        "labels.style",
        "1.00 nats a token likelier",
    ),
    ({"unwritable": {"é": 3, "ß": 20}}, "labels.tokenizer_gaps", "labels.tokenizer", "'ß' stands in 20 of 64"),
    (
        {"too_long_ids": ["a", "b"], "longest_label": 700},
        "labels.too_long",
        "labels.length",
        "has 700 tokens; the decoder holds 640, and 2 of 64 are longer (a and b)",
    ),
]


def test_healthy_labels_have_no_cause(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("labels.")]
    assert {c.status for c in verdict.checks if c.id.startswith("labels.")} == {"pass"}


@pytest.mark.parametrize(("changes", "code", "check", "words"), FAULTS)
def test_a_fault_turns_its_check_red(
    study: HealthyStudy, changes: dict[str, Any], code: str, check: str, words: str
) -> None:
    study.change("labels.json", changes)
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert verdict.causes[0] == cause
    assert words in cause.because
    assert cause.evidence == ["results/labels.json"]
    assert [c.id for c in verdict.checks if c.id.startswith("labels.") and c.status == "fail"] == [check]
    assert verdict.ready_for_sweep is (cause.severity != "blocks")


@pytest.mark.parametrize(
    "changes",
    [
        {"own": {"argmax_agreement": 0.996}},
        {"loss": {"trainer": 0.85}},
        {"reference_style": {"with_final_punctuation": 0.6, "upper_case": 0.1}},
        {"reference_nll": 3.0, "restyled_nll": 3.1},  # an accent: unlikely, but not for its style
        {"reference_nll": None, "restyled_nll": None},
        {"unwritable": {"é": 1}},
        {"longest_label": 640},
    ],
)
def test_a_healthy_neighbour_stays_green(study: HealthyStudy, changes: dict[str, Any]) -> None:
    study.change("labels.json", changes)
    assert not [code for code in codes(study.verdict()) if code.startswith("labels.")]


def test_the_style_remedy_says_how_the_model_writes(study: HealthyStudy) -> None:
    study.change("labels.json", {"reference_style": {"upper_case": 1.0}})
    remedy = cause_of(study.verdict(), "labels.style_mismatch").remedy
    assert "in sentence case, with final punctuation" in remedy


def test_style_is_not_judged_by_the_texts_of_a_broken_model(study: HealthyStudy) -> None:
    study.change("labels.json", {"hypothesis_style": {"with_final_punctuation": 0.0}})
    for manifest in ("heldout", "domain", "test"):
        study.change(f"wer/base/{manifest}.json", {"within": {"wer": 1.4, "errors": 3360}})
    verdict = study.verdict()
    assert check_of(verdict, "labels.style").status == "unknown"
    assert verdict.causes[0].code == "headroom.baseline_broken"


def test_the_installed_transformers_is_named(study: HealthyStudy) -> None:
    study.change("labels.json", {"loss": {"trainer": 9.4}, "transformers": "5.12.0"})
    assert "transformers 5.12.0" in cause_of(study.verdict(), "labels.loss_misaligned").because


def test_an_audit_that_was_not_made_is_unknown(study: HealthyStudy) -> None:
    study.remove("labels.json")
    verdict = study.verdict()
    assert check_of(verdict, "labels.structure").status == "unknown"
    assert verdict.ready_for_sweep is True


def test_texts_of_one_style_are_called_alike(study: HealthyStudy) -> None:
    assert "are alike in case and final punctuation" in check_of(study.verdict(), "labels.style").summary
    study.change("labels.json", {"reference_nll": 1.4})
    because = cause_of(study.verdict(), "labels.style_mismatch").because
    assert because.endswith("; rewritten in the model's style the transcripts are 0.60 nats a token likelier.")
    assert "written in upper case only" not in because
