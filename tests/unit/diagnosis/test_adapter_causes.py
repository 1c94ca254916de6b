"""D3: the lowest broken stage is the cause, and the only one."""

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
    ({"load": {"modules_by_group": NO_MODULES}}, "adapter.no_target_modules", "adapter.load", "adapts no module"),
    (
        {"load": {"base_matches": False, "base_trained_on": "other/model"}},
        "adapter.base_mismatch",
        "adapter.load",
        "(trained on other/model): their hashes differ",
    ),
    ({"load": {"active": False}}, "adapter.bypassed", "adapter.load", "not active"),
    (
        {"load": {"base_matches": None, "base_evidence": "shape", "merged_share": 0.97}},
        "adapter.base_mismatch",
        "adapter.load",
        "already (estimated 0.97 times)",
    ),
    (
        {"load": {"base_matches": False, "base_evidence": "hash", "merged_share": 1.02}},
        "adapter.base_mismatch",
        "adapter.load",
        "applies it twice",
    ),
    (
        {"load": {"base_matches": False, "base_evidence": "revision"}},
        "adapter.base_mismatch",
        "adapter.load",
        "their revisions differ",
    ),
    (
        {"load": {"tensors_loaded": 47, "shape_mismatches": ["m"], "missing_keys": ["m"], "missing_zero": ["m"]}},
        "adapter.not_loaded",
        "adapter.load",
        "another shape has m; 0 LoRA matrices stayed at random values and 1 at zero",
    ),
    ({"load": {"active_adapters": ["a", "b"]}}, "adapter.base_mismatch", "adapter.load", "a and b are active together"),
    ({"load": {"merged_adapters": ["default"]}}, "adapter.base_mismatch", "adapter.load", "merged into the weights"),
    (
        {"logits": {"not_finite": 0.25, "kl_mean": None}},
        "adapter.not_finite",
        "adapter.logits",
        "logits of 25.0 % of the positions",
    ),
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
            {"load": {"modules_by_group": {"encoder": 12, "decoder_self": 0, "cross": 0, "mlp": 0}}},
            "none of the decoder",
        ),
        ({"load": {"modules_by_group": {"encoder": 0}}}, "none of the encoder"),
        ({"file": {"lora_b_zero": 6}}, "6 of 24 adapted modules of lora never changed"),
    ],
)
def test_a_part_without_adapter_warns(study: HealthyStudy, changes: dict[str, Any], words: str) -> None:
    study.change("effect/lora.json", changes)
    assert run_causes(study) == ["adapter.partial_targets"]
    assert words in cause_of(study.verdict(), "adapter.partial_targets").because


def test_a_part_left_out_on_purpose_is_told_and_no_cause(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"load": {"modules_by_group": {"encoder": 0}}})
    study.change("adapters/lora/train.json", {"settings": {"target_parts": ["decoder_self", "cross", "mlp"]}})
    assert run_causes(study) == []
    check = check_of(study.verdict(), "adapter.targets")
    assert (check.status, "none of the encoder, as its target_parts ask." in check.summary) == ("pass", True)
    study.change("adapters/lora/train.json", {"settings": {"target_parts": ["encoder", "mlp"]}})
    assert run_causes(study) == ["adapter.partial_targets"]


@pytest.mark.parametrize(
    "changes",
    [
        {"load": {"base_matches": None}},
        {"load": {"base_matches": None, "base_evidence": "shape", "merged_share": 0.1}},
        {"load": {"base_matches": True, "base_evidence": "hash", "merged_share": 1.0}},
        {"logits": {"off_equals_base": False, "off_differs_by": ["initialisation pissa changes base weights"]}},
        {"file": {"initialisation": "false"}, "median_change": 0.02},
        {"file": {"lora_b_zero": 24}, "load": {"other_tensors_changed": ["proj_out.weight"]}},
        {"file": {"lora_b_zero": 24, "variant": "DoRA"}},
        {"text": {"calls_by_module": {"q": 3}, "merged_changed_bf16": 5}},
        {"text": {"changed": 0, "repeated": 6, "repeat_changed": 4}},
        {"load": {"modules_by_group": {"decoder_self": 0, "mlp": 0}}},
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
    check = check_of(study.verdict(), "adapter_change")
    assert check.status == "pass"
    assert (check.threshold is None) == (kind == "hypotheses")  # a share of the weights' norm is none of texts
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
    assert "(rank 8, alpha unknown)" in check_of(study.verdict(), "adapter.file").summary
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


def test_what_was_learnt_counts_and_not_a_random_beginning(study: HealthyStudy) -> None:
    modules = study.files["effect/lora.json"]["weights"]
    unmoved = {"weights": [{**m, "change": 0.0} for m in modules], "median_change": 0.0}
    study.change("effect/lora.json", {"file": {"initialisation": "false"}, **unmoved})
    assert run_causes(study) == ["adapter.zero_delta"]
    assert "the random one it began with" in study.verdict().causes[0].because
    study.change("effect/lora.json", {"file": {"initialisation": "true"}})
    assert run_causes(study) == []


def test_a_random_beginning_of_unknown_size_is_said(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"initialisation": "false"}})
    check = check_of(study.verdict(), "adapter.weights")
    assert (check.status, run_causes(study)) == ("warn", [])
    assert "how much was learnt is not known" in check.summary


def test_deltas_of_the_size_of_rounding_are_none(study: HealthyStudy) -> None:
    modules = study.files["effect/lora.json"]["weights"]
    tiny = [{**m, "delta_norm": 4e-7, "relative_norm": 5e-8} for m in modules]
    study.change("effect/lora.json", {"weights": tiny, "median_relative_norm": 5e-8, "file": {"variant": "DoRA"}})
    assert run_causes(study) == ["adapter.zero_delta"]


def test_weights_that_are_not_finite_are_not_zero(study: HealthyStudy) -> None:
    modules = study.files["effect/lora.json"]["weights"]
    lost = [{**m, "delta_norm": None, "relative_norm": None} for m in modules]
    study.change("effect/lora.json", {"weights": lost, "median_relative_norm": None, "file": {"finite": False}})
    assert run_causes(study) == ["adapter.not_finite"]
    assert check_of(study.verdict(), "adapter.weights").status == "unknown"


def test_modules_that_generate_never_calls_warn(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"text": {"calls_by_module": {"p": 0, "q": 3}, "never_called": ["p"]}})
    verdict = study.verdict()
    assert cause_of(verdict, "adapter.bypassed").severity == "warns"
    assert "1 of 2 adapted modules of lora are never called inside `generate`: p." in verdict.causes[0].because
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(
    ("changes", "check", "words"),
    [
        ({"text": {"repeated": 6, "repeat_changed": 4}}, "adapter.text", "differ between two equal calls"),
        ({"text": {"off_changed": 2}}, "adapter.text", "still gives 2 texts that are not the base's"),
        ({"load": {"model_folder_adapter": True}}, "adapter.load", "model's own folder holds an adapter_config.json"),
        ({"file": {"undeclared": ["x.weight"]}}, "adapter.file", "1 tensor that its configuration does not name"),
        ({"file": {"unpaired": ["q", "k"]}}, "adapter.file", "2 modules without their partner"),
        ({"logits": {"off_equals_base": False}}, "adapter.logits", "nothing explains why"),
    ],
)
def test_what_is_strange_is_said_without_a_cause(
    study: HealthyStudy, changes: dict[str, Any], check: str, words: str
) -> None:
    study.change("effect/lora.json", changes)
    found = check_of(study.verdict(), check)
    assert (found.status, run_causes(study)) == ("warn", [])
    assert words in found.summary


def test_an_adapter_of_which_nothing_fits_still_tells_of_its_file(study: HealthyStudy) -> None:
    told = {"status": "impossible", "code": "adapter.not_loaded", "message": "none of its 48 tensors has a place"}
    study.change("effect/lora.json", {**told, "weights": None, "logits": None, "text": None})
    verdict = study.verdict()
    statuses = {c.id: c.status for c in verdict.checks if c.id.startswith("adapter.") and c.run == "lora"}
    assert (statuses["adapter.file"], statuses["adapter.load"], statuses["adapter.weights"]) == (
        "pass",
        "fail",
        "unknown",
    )
    assert run_causes(study) == ["adapter.not_loaded"]


def test_a_relative_path_in_a_message_stays_a_path(study: HealthyStudy) -> None:
    told = {"status": "impossible", "code": "adapter.not_loaded", "message": "../runs/x: none of its tensors fits."}
    study.change("effect/lora.json", {**told, "file": None, "weights": None, "logits": None, "text": None})
    assert check_of(study.verdict(), "adapter.file").summary == "lora: ../runs/x: none of its tensors fits."
