"""Label audit: each fault of labels or loss fails one check, and the other checks pass."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes


def step(trainer: float | None, **changes: Any) -> dict[str, Any]:
    return {"trainer": trainer, "shift_0": 0.812, "shift_1": 9.41, "mean_of_batches": 0.812} | changes


ACCUMULATED = {"gradient_accumulation": 2, "tokens": [31, 825], "shift_0": 0.981, "mean_of_batches": 2.105}
SMOOTHED = {"label_smoothing": 0.1, "shift_0": 1.807, "shift_1": 7.558, "mean_of_batches": 1.807}
RIGHT_WAY = {"name": "without BOS", "argmax_agreement": 1.0, "log_probability_gap": 0.00001}
WRONG_WAY = {"name": "with one EOS at the end", "argmax_agreement": 0.94, "log_probability_gap": 0.2}
SPELLED_OUT = {"rows": 64, "only_reference": 20, "only_hypothesis": 0, "both": 3}
FAULTS: list[tuple[dict[str, Any], str, str, str, dict[str, Any]]] = [
    (
        {"structure": {"ends_with_eos": 0.0}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"sampled": 64, "wrong_shares": {"ends_with_eos": 1.0}},
    ),
    (
        {"structure": {"ends_with_eos": 0.0, "tokenizer_eos": 7, "generation_eos": [2]}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"foreign_eos": {"tokenizer": 7, "generation": 2}},
    ),
    (
        {"structure": {"ends_with_eos": 0.0, "tokenizer_eos": 2, "generation_eos": [2]}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"foreign_eos": None},
    ),
    (
        {"structure": {"single_start": 0.5}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"wrong_shares": {"start": 0.5}},
    ),
    (
        {"structure": {"padding_ignored": 0.75}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"wrong_shares": {"padding_ignored": 0.25}},
    ),
    (
        {"structure": {"prefix_matches_generation": 0.0}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"wrong_shares": {"prefix": 1.0}},
    ),
    (
        {"greedy": {"argmax_agreement": 0.94}},
        "labels.construction",
        "labels.greedy_hypotheses",
        "tokens_not_predicted",
        {"agreement": 0.94, "min_agreement": 0.995, "positions": 2400, "compared": "predictions"},
    ),
    (
        {"structure": {"single_eos": 0.0}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"wrong_shares": {"single_eos": 1.0}},
    ),
    (
        {"structure": {"same_decoder_start": False}},
        "labels.construction",
        "labels.structure",
        "broken_rules",
        {"wrong_shares": {"start": 1.0}},
    ),
    (
        {
            "greedy": {
                "log_probability_gap": 0.004,
                "replay": {"name": "", "argmax_agreement": 1.0, "log_probability_gap": 0.0},
            }
        },
        "labels.construction",
        "labels.greedy_hypotheses",
        "other_likelihood",
        {"log_probability_gap": 0.004, "max_log_probability_gap": 0.001},
    ),
    (
        {"losses": [step(0.812), step(4.21, **ACCUMULATED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "wrong_token_count",
        {"trainer": 4.21, "by_hand": 0.981, "gradient_accumulation": 2, "label_smoothing": 0.0},
    ),
    (
        {"losses": [step(0.812), step(1.2, **SMOOTHED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "wrong_token_count",
        {"trainer": 1.2, "by_hand": 1.807, "gradient_accumulation": 1, "label_smoothing": 0.1},
    ),
    (
        {"losses": [step(9.41), step(12.1, **ACCUMULATED)]},
        "labels.loss_misaligned",
        "labels.loss",
        "shifted_by_one",
        {"trainer": 9.41, "by_hand": 0.812, "by_hand_shifted": 9.41, "gradient_accumulation": 1},
    ),
    (
        {"numbers": SPELLED_OUT},
        "labels.style_mismatch",
        "labels.style",
        "other_numbers",
        {"numbers": SPELLED_OUT, "steps": ["spell_out_digits"]},
    ),
    (
        {"reference_style": {"upper_case": 0.3, "sentence_case": 0.7}, "reference_nll": 1.9, "restyled_nll": 0.82},
        "labels.style_mismatch",
        "labels.style",
        "costly",
        {"aspect": "upper_case", "references": 0.3, "hypotheses": 0.0, "cost": 1.9 - 0.82},
    ),
    (
        {"changed_texts": [{"id": f"r{i}", "line": i, "text": "A", "decoded": "a"} for i in range(3, 9)]},
        "labels.tokenizer_gaps",
        "labels.tokenizer",
        "lost",
        {"rows": 6, "sampled": 64, "characters": [], "changed_rows": 6, "first_line": 3},
    ),
    (
        {"unknown_rows": 9, "unknown_tokens": 0.04},
        "labels.tokenizer_gaps",
        "labels.tokenizer",
        "lost",
        {"rows": 9, "unknown_tokens": 0.04},
    ),
    (
        {"losses": [step(9.40)]},
        "labels.loss_misaligned",
        "labels.loss",
        "shifted_by_one",
        {"trainer": 9.40, "by_hand_shifted": 9.41},
    ),
    ({"losses": [step(None)]}, "labels.loss_misaligned", "labels.loss", "not_finite", {"trainer": None}),
    ({"losses": [step(0.40)]}, "labels.loss_misaligned", "labels.loss", "wrong_tokens", {"trainer": 0.40}),
    (
        {"reference_style": {"upper_case": 1.0, "sentence_case": 0.0}, "reference_nll": 4.2},
        "labels.style_mismatch",
        "labels.style",
        "other_style",
        {"aspect": "upper_case", "references": 1.0, "hypotheses": 0.0},
    ),
    (
        {"reference_style": {"with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}},
        "labels.style_mismatch",
        "labels.style",
        "other_style",
        {"aspect": "with_final_punctuation", "references": 0.0, "hypotheses": 1.0},
    ),
    (
        {"reference_nll": 1.9, "restyled_nll": 0.9},
        "labels.style_mismatch",
        "labels.style",
        "costly",
        {"aspect": None, "cost": 1.9 - 0.9},
    ),
    (
        {"lost_characters": {"é": 3, "ß": 20}},
        "labels.tokenizer_gaps",
        "labels.tokenizer",
        "lost",
        {"rows": 20, "characters": ["ß", "é"], "rows_of_first_character": 20},
    ),
    (
        {"too_long_ids": ["a", "b"], "longest_label": 700},
        "labels.too_long",
        "labels.length",
        "too_long",
        {"longest": 700, "limit": 640, "capacity": "decoder", "too_long": {"count": 2, "first": ["a", "b"]}},
    ),
]


def test_healthy_labels_have_no_cause(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("labels.")]
    assert {c.status for c in verdict.checks if c.id.startswith("labels.")} == {"pass"}


@pytest.mark.parametrize(("changes", "code", "check", "reason", "details"), FAULTS)
def test_a_fault_fails_its_check_alone(
    study: HealthyStudy, changes: dict[str, Any], code: str, check: str, reason: str, details: dict[str, Any]
) -> None:
    study.change("labels.json", changes)
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert verdict.causes[0] == cause
    assert (cause.reason, check_of(verdict, check).reason) == (reason, reason)
    assert details.items() <= cause.details.items()
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
        {"numbers": SPELLED_OUT | {"only_reference": 10}},
        {"numbers": SPELLED_OUT | {"only_hypothesis": 20}},  # digits misheard both ways
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
def test_unusual_but_correct_labels_raise_no_cause(study: HealthyStudy, changes: dict[str, Any]) -> None:
    study.change("labels.json", changes)
    assert not [code for code in codes(study.verdict()) if code.startswith("labels.")]


def rewriting(study: HealthyStudy) -> dict[str, Any]:
    return cause_of(study.verdict(), "labels.style_mismatch").details


def test_a_style_mismatch_names_the_style_of_the_model(study: HealthyStudy) -> None:
    study.change("labels.json", {"reference_style": {"upper_case": 1.0}})
    details = rewriting(study)
    assert (details["case"], details["final_punctuation"]) == ("sentence_case", True)


def test_a_style_mismatch_lists_the_steps_of_rewriting(study: HealthyStudy) -> None:
    lower = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"hypothesis_style": lower})
    assert rewriting(study)["steps"] == ["remove_punctuation", "lower_case"]
    assert rewriting(study)["not_restorable"] == []
    study.change("labels.json", {"hypothesis_style": {"lower_case": 0.0}, "numbers": SPELLED_OUT})
    assert "spell_out_digits" in rewriting(study)["steps"]


def test_a_style_mismatch_lists_what_no_rule_can_restore(study: HealthyStudy) -> None:
    bare = {"lower_case": 1.0, "sentence_case": 0.0, "with_final_punctuation": 0.0, "punctuation_per_100_words": 0.0}
    study.change("labels.json", {"reference_style": bare})
    details = rewriting(study)
    assert details["steps"] == ["append_final_mark", "sentence_case"]
    assert (details["final_mark"], details["not_restorable"]) == (".", ["punctuation", "capitals"])


@pytest.mark.parametrize("fault", [{"greedy": {"argmax_agreement": 0.94}}, {"structure": {"single_start": 0.0}}])
def test_the_way_of_building_labels_that_the_model_agrees_with_is_named(
    study: HealthyStudy, fault: dict[str, Any]
) -> None:
    study.change("labels.json", {"greedy": {"variants": [WRONG_WAY, RIGHT_WAY]}})
    study.change("labels.json", fault)
    details = cause_of(study.verdict(), "labels.construction").details
    assert (details["right_variant"], details["right_variant_agreement"]) == (RIGHT_WAY["name"], 1.0)
    study.change("labels.json", {"greedy": {"variants": [WRONG_WAY]}})
    details = cause_of(study.verdict(), "labels.construction").details
    assert (details["right_variant"], details["variants_tried"]) == (None, 1)


def test_a_forward_pass_that_differs_from_generation_is_no_fault_of_labels(study: HealthyStudy) -> None:
    replay = {"name": "", "argmax_agreement": 0.983, "log_probability_gap": 0.03}
    study.change("labels.json", {"greedy": {"argmax_agreement": 0.982, "log_probability_gap": 0.03, "replay": replay}})
    verdict = study.verdict()
    check = check_of(verdict, "labels.greedy_hypotheses")
    assert (check.status, check.reason) == ("warn", "forward_pass_differs_from_generation")
    assert check.details["replay_agreement"] == 0.983
    assert "labels.construction" not in codes(verdict)


def test_greedy_hypotheses_that_are_all_left_out_are_unknown(study: HealthyStudy) -> None:
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
    assert (check.status, check.reason) == ("unknown", "none_labelled")
    assert check.details["left_out"] == {
        "truncated": 4,
        "retokenized": 60,
        "retokenized_leading_space": 60,
        "changed_by_tokenizer": 0,
    }


def test_style_is_unknown_where_the_baseline_is_broken(study: HealthyStudy) -> None:
    study.change("labels.json", {"hypothesis_style": {"with_final_punctuation": 0.0}})
    for manifest in ("heldout", "domain", "test"):
        study.change(f"wer/base/{manifest}.json", {"within": {"wer": 1.4, "errors": 3360}})
    verdict = study.verdict()
    check = check_of(verdict, "labels.style")
    assert (check.status, check.reason) == ("unknown", "baseline_broken")
    assert verdict.causes[0].code == "headroom.baseline_broken"


def test_the_installed_transformers_is_recorded(study: HealthyStudy) -> None:
    study.change("labels.json", {"losses": [step(9.4)], "transformers": "5.12.0"})
    assert cause_of(study.verdict(), "labels.loss_misaligned").details["transformers"] == "5.12.0"


def test_labels_without_an_audit_are_unknown(study: HealthyStudy) -> None:
    study.remove("labels.json")
    verdict = study.verdict()
    check = check_of(verdict, "labels.structure")
    assert (check.status, check.reason) == ("unknown", "not_audited")
    assert verdict.ready_for_sweep is True


def test_texts_of_one_style_may_still_differ_in_likelihood(study: HealthyStudy) -> None:
    check = check_of(study.verdict(), "labels.style")
    assert (check.status, check.value, check.details["aspect"]) == ("pass", 0.0, None)
    study.change("labels.json", {"reference_nll": 1.4})
    cause = cause_of(study.verdict(), "labels.style_mismatch")
    assert (cause.reason, cause.details["aspect"]) == ("costly", None)
    assert cause.details["cost"] == pytest.approx(0.6)
    assert cause.details["cost_share"] == pytest.approx(0.6 / 1.35)


def test_style_only_warns_where_labels_are_built_wrongly(study: HealthyStudy) -> None:
    other_style = {"reference_style": {"upper_case": 1.0, "sentence_case": 0.0}, "reference_nll": 4.2}
    study.change("labels.json", other_style)
    study.change("paired/lora/domain.json", {"within": {"outcome": "unchanged"}})
    assert cause_of(study.verdict(), "labels.style_mismatch").severity == "blocks"
    study.change("labels.json", {"structure": {"prefix_matches_generation": 0.0}})
    verdict = study.verdict()
    assert codes(verdict)[0] == "labels.construction"
    style = cause_of(verdict, "labels.style_mismatch")
    assert (style.severity, style.details["cost"]) == ("warns", None)


def test_style_is_unknown_where_hypotheses_are_truncated(study: HealthyStudy) -> None:
    study.change("labels.json", {"greedy": {"truncated": 40}, "hypothesis_style": {"with_final_punctuation": 0.2}})
    verdict = study.verdict()
    check = check_of(verdict, "labels.style")
    assert (check.status, check.reason) == ("unknown", "truncated")
    assert (check.details["truncated"], check.details["sampled"]) == (40, 64)
    assert "labels.style_mismatch" not in codes(verdict)
    study.change("labels.json", {"greedy": {"truncated": 1}})
    assert "labels.style_mismatch" in codes(study.verdict())
