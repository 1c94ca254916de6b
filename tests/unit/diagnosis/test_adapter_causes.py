"""D3: the lowest broken rung is the cause, and the only one."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

NO_MODULES = {"encoder": 0, "decoder_self": 0, "cross": 0, "mlp": 0}
UNCHANGED = {"within": {"changed_hypotheses": 0, "outcome": "unchanged"}, "all": {"changed_hypotheses": 0}}
FAULTS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"file": {"finite": False}}, "adapter.not_finite", "adapter.file", "not finite"),
    ({"file": {"lora_b_zero": 24}}, "adapter.zero_delta", "adapter.file", "All 24 lora_B matrices of lora are exactly"),
    ({"load": {"tensors_loaded": 40, "missing_keys": ["x"]}}, "adapter.not_loaded", "adapter.load", "40 of 48 tensors"),
    ({"load": {"unexpected_keys": ["y"]}}, "adapter.not_loaded", "adapter.load", "only the file holds y"),
    ({"load": {"modules_by_part": NO_MODULES}}, "adapter.no_target_modules", "adapter.load", "adapts no module"),
    (
        {"load": {"base_matches": False, "base_trained_on": "other/model"}},
        "adapter.base_mismatch",
        "adapter.load",
        "(trained on other/model): their hashes differ",
    ),
    ({"load": {"active": False}}, "adapter.bypassed", "adapter.load", "not active"),
    ({"logits": {"argmax_flips": 0.0, "largest_difference": 0.0}}, "adapter.bypassed", "adapter.logits", "the same"),
    ({"text": {"adapter_calls": 0}}, "adapter.bypassed", "adapter.text", "No layer of lora was called"),
]


def zero_weights(study: HealthyStudy) -> dict[str, Any]:
    modules = study.files["effect/lora.json"]["weights"]
    return {"weights": [{**m, "delta_norm": 0.0, "relative_norm": 0.0} for m in modules], "median_relative_norm": 0.0}


def change_no_text(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"text": {"changed": 0}})
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/lora/{manifest}.json", UNCHANGED)


def run_causes(study: HealthyStudy, run: str = "lora") -> list[str]:
    return [c.code for c in study.verdict().causes if c.run == run]


def test_a_healthy_adapter_passes_every_rung(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("adapter.")]
    assert {c.status for c in verdict.checks if c.id.startswith("adapter")} == {"pass"}


@pytest.mark.parametrize(("changes", "code", "check", "words"), FAULTS)
def test_a_broken_rung_blocks(study: HealthyStudy, changes: dict[str, Any], code: str, check: str, words: str) -> None:
    study.change("effect/lora.json", changes)
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run) == ("blocks", "lora")
    assert words in cause.because
    assert [c.id for c in verdict.checks if c.id.startswith("adapter.") and c.status == "fail"] == [check]
    assert check_of(verdict, "adapter_change").status == "fail"
    assert verdict.ready_for_sweep is False


def test_zero_deltas_by_weights_are_found_without_lora_b(study: HealthyStudy) -> None:
    study.change("effect/lora.json", zero_weights(study))
    assert run_causes(study) == ["adapter.zero_delta"]


def test_only_the_lowest_broken_rung_is_a_cause(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"lora_b_zero": 24}, **zero_weights(study)})
    study.change("effect/lora.json", {"logits": {"argmax_flips": 0.0, "largest_difference": 0.0}})
    change_no_text(study)
    assert run_causes(study) == ["adapter.zero_delta"]
    failed = [c.id for c in study.verdict().checks if c.status == "fail" and c.id.startswith("adapter.")]
    assert failed == ["adapter.file", "adapter.weights", "adapter.logits", "adapter.text"]


def test_no_text_changes_at_all(study: HealthyStudy) -> None:
    change_no_text(study)
    assert run_causes(study) == ["adapter.no_text_change"]
    assert "None of 358 hypotheses changes with lora" in study.verdict().causes[0].because


def test_tuned_transcripts_of_the_base_model_are_found(study: HealthyStudy) -> None:
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/lora/{manifest}.json", UNCHANGED)
    assert run_causes(study) == ["adapter.bypassed"]
    assert "15 of 26 validation texts change with lora, yet no text" in study.verdict().causes[0].because


def test_tuned_transcripts_recorded_without_adapter_are_found(study: HealthyStudy) -> None:
    study.change("transcripts/lora/domain.settings.json", {"adapter": None})
    assert run_causes(study) == ["adapter.bypassed"]


def test_a_base_model_that_is_not_the_one_trained_on(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", {"base_model_hash": "f" * 32})
    assert run_causes(study) == ["adapter.base_mismatch"]


def test_a_tiny_adapter_that_hardly_changes_a_text_warns(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004})
    change_no_text(study)
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.negligible_delta")
    assert run_causes(study) == ["adapter.negligible_delta"]
    assert cause.severity == "warns"
    assert "median of 0.04 % of their norm (at least 0.1 % is usual), and 0 of 358 hypotheses change" in cause.because
    assert "sweep" in cause.remedy
    assert check_of(verdict, "adapter_change").status == "warn"


def test_a_tiny_adapter_that_changes_texts_has_an_effect(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004})
    assert run_causes(study) == []
    assert check_of(study.verdict(), "adapter.weights").status == "warn"


def test_a_tiny_adapter_that_is_bypassed_is_bypassed(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004, "text": {"adapter_calls": 0}})
    change_no_text(study)
    assert run_causes(study) == ["adapter.bypassed"]


def test_an_adapter_that_overwrites_the_model_warns(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.8})
    verdict = study.verdict()
    assert cause_of(verdict, "adapter.excessive_delta").severity == "warns"
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"load": {"modules_by_part": {"encoder": 12, "decoder_self": 0, "cross": 0, "mlp": 0}}},
            "none of the decoder",
        ),
        ({"load": {"modules_by_part": {"encoder": 0}}}, "none of the encoder"),
        ({"file": {"lora_b_zero": 6}}, "6 of 24 adapted modules of lora never changed"),
    ],
)
def test_a_part_without_adapter_warns(study: HealthyStudy, changes: dict[str, Any], words: str) -> None:
    study.change("effect/lora.json", changes)
    assert run_causes(study) == ["adapter.partial_targets"]
    assert words in cause_of(study.verdict(), "adapter.partial_targets").because


@pytest.mark.parametrize(
    "changes",
    [
        {"load": {"base_matches": None}},
        {"load": {"modules_by_part": {"decoder_self": 0, "mlp": 0}}},
        {"median_relative_norm": 0.016},
        {"logits": {"argmax_flips": 0.0, "largest_difference": 0.2}},
    ],
)
def test_a_healthy_neighbour_stays_green(study: HealthyStudy, changes: dict[str, Any]) -> None:
    study.change("effect/lora.json", changes)
    assert run_causes(study) == []


def test_a_broken_candidate_beside_the_gate_run_only_warns(study: HealthyStudy) -> None:
    study.add_run("brought", "adapter")
    study.change("effect/brought.json", {"file": {"lora_b_zero": 24}})
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.zero_delta")
    assert (cause.severity, cause.run) == ("warns", "brought")
    assert verdict.ready_for_sweep is True


def test_a_brought_adapter_of_zeros_as_gate_run_blocks(study: HealthyStudy) -> None:
    study.add_run("brought", "adapter")
    study.configure({"gate": {"run": "brought"}})
    study.change("effect/brought.json", {"file": {"lora_b_zero": 24}})
    verdict = study.verdict()
    assert verdict.gate_run == "brought"
    assert (verdict.causes[0].code, verdict.causes[0].severity) == ("adapter.zero_delta", "blocks")


@pytest.mark.parametrize("kind", ["hypotheses", "checkpoint"])
def test_brought_texts_show_their_effect_by_their_texts(study: HealthyStudy, kind: str) -> None:
    study.add_run("earlier", kind)
    study.configure({"gate": {"run": "earlier"}})
    assert check_of(study.verdict(), "adapter_change").status == "pass"
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/earlier/{manifest}.json", UNCHANGED)
    verdict = study.verdict()
    assert "adapter.no_text_change" in codes(verdict)
    assert check_of(verdict, "adapter_change").status == "fail"


def test_an_adapter_that_was_never_measured_is_unknown(study: HealthyStudy) -> None:
    study.remove("effect/")
    verdict = study.verdict()
    assert check_of(verdict, "adapter_change").status == "unknown"
    assert verdict.ready_for_sweep is False


def test_an_adapter_without_recorded_alpha_is_told_all_the_same(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"alpha": None}})
    assert "(rank 8, alpha not given)" in check_of(study.verdict(), "adapter.file").summary
    study.change("effect/lora.json", {"file": {"finite": False}})
    assert run_causes(study) == ["adapter.not_finite"]


def test_few_changed_validation_texts_and_no_changed_transcript_may_be_chance(study: HealthyStudy) -> None:
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/lora/{manifest}.json", UNCHANGED)
    study.change("effect/lora.json", {"text": {"changed": 1}})  # (25/26)^212 is 0.0002: no chance
    assert run_causes(study) == ["adapter.bypassed"]
    for scope in ("within", "all"):
        study.change("paired/lora/domain.json", {scope: {"utterances": 20}})  # (25/26)^32 is 0.3
    assert run_causes(study) == []
    assert check_of(study.verdict(), "adapter.text").status == "warn"
