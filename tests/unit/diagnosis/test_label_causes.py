"""D4: each fault of labels or loss turns one check red, and its neighbours stay green."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes


def step(trainer: float | None, **changes: Any) -> dict[str, Any]:
    return {"trainer": trainer, "shift_0": 0.812, "shift_1": 9.41, "mean_of_batches": 0.812} | changes


ACCUMULATED = {"gradient_accumulation": 2, "tokens": [31, 825], "shift_0": 0.981, "mean_of_batches": 2.105}
SMOOTHED = {"label_smoothing": 0.1, "shift_0": 1.807, "shift_1": 7.558, "mean_of_batches": 1.807}
RIGHT_WAY = {"name": "without a start mark in front", "argmax_agreement": 1.0, "log_probability_gap": 0.00001}
WRONG_WAY = {"name": "with one end mark at the end", "argmax_agreement": 0.94, "log_probability_gap": 0.2}
SPELT_OUT = {"rows": 64, "only_reference": 20, "only_hypothesis": 0, "both": 3}
FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"structure": {"ends_with_eos": 0.0}}, "labels.construction", "labels.structure", "100 % do not end with the end"),
    (
        {"structure": {"single_start": 0.5}},
        "labels.construction",
        "labels.structure",
        "50.0 % do not start",
    ),
    ({"structure": {"padding_ignored": 0.9}}, "labels.construction", "labels.structure", "padding that counts"),
    ({"structure": {"prefix_matches_generation": 0.0}}, "labels.construction", "labels.structure", "another prefix"),
    (
        {"greedy": {"argmax_agreement": 0.94}},
        "labels.construction",
        "labels.greedy_hypotheses",
        "predicts 94.0 % of 2,400 tokens",
    ),
    ({"structure": {"single_eos": 0.0}}, "labels.construction", "labels.structure", "100 % hold more end marks"),
    ({"structure": {"same_decoder_start": False}}, "labels.construction", "labels.structure", "100 % do not start as"),
    (
        {
            "greedy": {
                "log_probability_gap": 0.004,
                "replay": {"name": "", "argmax_agreement": 1.0, "log_probability_gap": 0.0},
            }
        },
        "labels.construction",
        "labels.greedy_hypotheses",
        "differs from that of its generation by up to 0.004 nats a token (allowed: 0.001)",
    ),
    (
        {"losses": [step(0.812), step(4.21, **ACCUMULATED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "with 2 accumulated batches is 4.210 nats a token and 0.981 by hand; it matches neither alignment, though",
    ),
    (
        {"losses": [step(0.812), step(1.2, **SMOOTHED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "with label smoothing 0.1 is 1.200 nats a token and 1.807 by hand",
    ),
    (
        {"losses": [step(9.41), step(12.1, **ACCUMULATED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "The trainer's loss is 9.410 nats a token and 0.812 by hand; it matches labels shifted by one token",
    ),
    (
        {"numbers": SPELT_OUT},
        "labels.style_mismatch",
        "labels.style",
        "in 20 of 64 rows training transcripts hold digits where the model's own texts hold none",
    ),
    (
        {"reference_style": {"upper_case": 0.3, "sentence_case": 0.7}, "reference_nll": 1.9, "restyled_nll": 0.82},
        "labels.style_mismatch",
        "labels.style",
        "30.0 % of the training transcripts are written in upper case only",
    ),
    (
        {"changed_texts": [{"id": f"r{i}", "line": i, "text": "A", "decoded": "a"} for i in range(3, 9)]},
        "labels.tokenizer_gaps",
        "labels.tokenizer",
        "gives 6 of 64 sampled rows back as other texts, and 6 rows in all come back changed (first: line 3)",
    ),
    ({"unknown_rows": 9, "unknown_tokens": 0.04}, "labels.tokenizer_gaps", "labels.tokenizer", "4.0 % of all tokens"),
    ({"losses": [step(9.40)]}, "labels.loss_misaligned", "labels.loss", "shifted by one token (9.410)"),
    ({"losses": [step(None)]}, "labels.loss_misaligned", "labels.loss", "is not finite"),
    ({"losses": [step(0.40)]}, "labels.loss_misaligned", "labels.loss", "matches neither alignment"),
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
    ({"lost_characters": {"é": 3, "ß": 20}}, "labels.tokenizer_gaps", "labels.tokenizer", "'ß' stands in 20 of 64"),
    (
        {"too_long_ids": ["a", "b"], "longest_label": 700},
        "labels.too_long",
        "labels.length",
        "has 700 tokens; the decoder holds 640, and 2 of 64 are too long (a and b)",
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
        {"greedy": {"argmax_agreement": 0.996}},
        {"losses": [step(0.85)]},
        {"reference_style": {"with_final_punctuation": 0.6, "upper_case": 0.1}},
        {"reference_nll": 3.0, "restyled_nll": 3.1},  # an accent: unlikely, but not for its style
        {"reference_nll": 4.0, "restyled_nll": 3.7},  # style costs something, and the accent ten times as much
        {"reference_nll": None, "restyled_nll": None},
        {
            "greedy": {
                "log_probability_gap": 0.03,
                "replay": {"name": "", "argmax_agreement": 1.0, "log_probability_gap": 0.02},
            }
        },
        {"greedy": {"log_probability_gap": None}},
        {"losses": [step(0.812), step(0.982, **ACCUMULATED), step(1.808, **SMOOTHED)]},
        {"losses": [step(0.812), step(2.105, **ACCUMULATED)]},  # Whisper weighs batches alike: not on wrong tokens
        {"numbers": SPELT_OUT | {"only_reference": 10}},
        {"numbers": SPELT_OUT | {"only_hypothesis": 20}},  # digits misheard both ways
        {"numbers": {"rows": 0, "only_reference": 0, "only_hypothesis": 0, "both": 0}},
        {
            "sampled": 8,
            "lost_characters": {"é": 1},
            "changed_texts": [{"id": "r", "line": None, "text": "é", "decoded": ""}],
        },
        {"lost_characters": {"é": 1}},
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


def test_the_style_remedy_is_a_recipe(study: HealthyStudy) -> None:
    lower = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"hypothesis_style": lower})
    remedy = cause_of(study.verdict(), "labels.style_mismatch").remedy
    assert 'text = re.sub(r"[^\\w\\s\'-]", "", text); text = text.lower()`' in remedy
    study.change("labels.json", {"hypothesis_style": {"lower_case": 0.0}, "numbers": SPELT_OUT})
    assert "num2words(int(found[0]))" in cause_of(study.verdict(), "labels.style_mismatch").remedy


def test_what_no_rule_restores_is_said(study: HealthyStudy) -> None:
    bare = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"reference_style": bare})
    remedy = cause_of(study.verdict(), "labels.style_mismatch").remedy
    assert "commas and question marks and capitals of names must come from the source" in remedy


@pytest.mark.parametrize("fault", [{"greedy": {"argmax_agreement": 0.94}}, {"structure": {"single_start": 0.0}}])
def test_the_labels_that_would_be_right_are_named(study: HealthyStudy, fault: dict[str, Any]) -> None:
    study.change("labels.json", {"greedy": {"variants": [WRONG_WAY, RIGHT_WAY]}})
    study.change("labels.json", fault)
    cause = cause_of(study.verdict(), "labels.construction")
    assert cause.remedy == (
        "Build labels without a start mark in front, then audit again: of such labels of its own texts the model "
        "predicts 100 %."
    )
    study.change("labels.json", {"greedy": {"variants": [WRONG_WAY]}})
    cause = cause_of(study.verdict(), "labels.construction")
    assert cause.remedy.endswith("None of 1 other way of building them that were tried is right.")
    assert "EOS last" in cause.remedy


def test_a_forward_pass_that_differs_from_generation_is_no_fault_of_labels(study: HealthyStudy) -> None:
    replay = {"name": "", "argmax_agreement": 0.983, "log_probability_gap": 0.03}
    study.change("labels.json", {"greedy": {"argmax_agreement": 0.982, "log_probability_gap": 0.03, "replay": replay}})
    verdict = study.verdict()
    assert check_of(verdict, "labels.greedy_hypotheses").status == "warn"
    assert "labels.construction" not in codes(verdict)


def test_own_texts_that_are_all_left_out_are_unknown(study: HealthyStudy) -> None:
    own = {
        "utterances": 0,
        "positions": 0,
        "argmax_agreement": 0.0,
        "retokenized": 60,
        "retokenized_leading_space": 60,
        "truncated": 4,
    }
    study.change("labels.json", {"greedy": own})
    check = check_of(study.verdict(), "labels.greedy_hypotheses")
    assert check.status == "unknown"
    assert "(4 cut by the token cap and 60 spelt by the tokenizer" in check.summary
    assert "as if a blank in front were missing" in check.summary


def test_style_is_not_judged_by_the_texts_of_a_broken_model(study: HealthyStudy) -> None:
    study.change("labels.json", {"hypothesis_style": {"with_final_punctuation": 0.0}})
    for manifest in ("heldout", "domain", "test"):
        study.change(f"wer/base/{manifest}.json", {"within": {"wer": 1.4, "errors": 3360}})
    verdict = study.verdict()
    assert check_of(verdict, "labels.style").status == "unknown"
    assert verdict.causes[0].code == "headroom.baseline_broken"


def test_the_installed_transformers_is_named(study: HealthyStudy) -> None:
    study.change("labels.json", {"losses": [step(9.4)], "transformers": "5.12.0"})
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
    assert because.endswith(
        "; rewritten in the model's style the transcripts are 0.60 nats a token likelier, which closes 44.4 % of their "
        "distance from the model's own texts."
    )
    assert "written in upper case only" not in because


def test_style_is_not_judged_by_texts_that_were_cut(study: HealthyStudy) -> None:
    study.change("labels.json", {"greedy": {"truncated": 40}, "hypothesis_style": {"with_final_punctuation": 0.2}})
    verdict = study.verdict()
    assert "40 of its 64 own texts are cut" in check_of(verdict, "labels.style").summary
    assert check_of(verdict, "labels.style").status == "unknown"
    assert "labels.style_mismatch" not in codes(verdict)
    study.change("labels.json", {"greedy": {"truncated": 1}})
    assert "labels.style_mismatch" in codes(study.verdict())
