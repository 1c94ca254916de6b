"""Effect ladder: the lowest broken stage is the cause, and the only one."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

from lora.diagnosis.adapter.load import name_parts, names_differ

NONE: dict[str, Any] = {"count": 0, "first": []}
NO_MODULES = {"encoder": 0, "decoder_self": 0, "cross": 0, "mlp": 0}
UNCHANGED = {"within": {"changed_hypotheses": 0, "outcome": "unchanged"}, "all": {"changed_hypotheses": 0}}
FAULTS: list[tuple[dict[str, Any], str, str, str, dict[str, Any]]] = [
    ({"file": {"finite": False}}, "adapter.not_finite", "adapter.file", "not_finite", {}),
    ({"file": {"lora_b_zero": 24}}, "adapter.zero_delta", "adapter.file", "all_zero", {"lora_b": 24, "nonzero": 0}),
    (
        {"load": {"tensors_loaded": 40, "missing_keys": ["x"]}},
        "adapter.not_loaded",
        "adapter.load",
        "tensors_unmatched",
        {"tensors_loaded": 40, "tensors_in_file": 48, "only_in_model": {"count": 1, "first": ["x"]}},
    ),
    (
        {"load": {"unexpected_keys": ["y"]}},
        "adapter.not_loaded",
        "adapter.load",
        "tensors_unmatched",
        {"only_in_file": {"count": 1, "first": ["y"]}},
    ),
    ({"load": {"modules_by_group": NO_MODULES}}, "adapter.no_target_modules", "adapter.load", "no_modules", {}),
    (
        {"load": {"base_matches": False, "base_trained_on": "other/model"}},
        "adapter.base_mismatch",
        "adapter.load",
        "other_base",
        {"base_trained_on": "other/model", "base_evidence": "hash"},
    ),
    ({"load": {"active": False}}, "adapter.bypassed", "adapter.load", "inactive", {}),
    (
        {"load": {"base_matches": None, "base_evidence": "shape", "merged_share": 0.97}},
        "adapter.base_mismatch",
        "adapter.load",
        "merged_before",
        {"merged_share": 0.97},
    ),
    (
        {"load": {"base_matches": False, "base_evidence": "hash", "merged_share": 1.02}},
        "adapter.base_mismatch",
        "adapter.load",
        "merged_before",
        {"merged_share": 1.02},
    ),
    (
        {"load": {"base_matches": False, "base_evidence": "revision"}},
        "adapter.base_mismatch",
        "adapter.load",
        "other_base",
        {"base_evidence": "revision"},
    ),
    (
        {"load": {"tensors_loaded": 47, "shape_mismatches": ["m"], "missing_keys": ["m"], "missing_zero": ["m"]}},
        "adapter.not_loaded",
        "adapter.load",
        "tensors_unmatched",
        {"other_shape": {"count": 1, "first": ["m"]}, "only_in_model": NONE, "left_random": 0, "left_zero": 1},
    ),
    (
        {"load": {"active_adapters": ["a", "b"]}},
        "adapter.base_mismatch",
        "adapter.load",
        "several_adapters_active",
        {"active_adapters": ["a", "b"]},
    ),
    (
        {"load": {"merged_adapters": ["default"]}},
        "adapter.base_mismatch",
        "adapter.load",
        "other_adapters_merged",
        {"merged_adapters": ["default"]},
    ),
    (
        {"logits": {"not_finite": 0.25, "kl_mean": None}},
        "adapter.not_finite",
        "adapter.logits",
        "not_finite",
        {"not_finite": 0.25},
    ),
    ({"logits": {"argmax_flips": 0.0, "largest_difference": 0.0}}, "adapter.bypassed", "adapter.logits", "equal", {}),
    ({"text": {"adapter_calls": 0}}, "adapter.bypassed", "adapter.text", "not_called", {"adapter_calls": 0}),
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


def test_a_healthy_adapter_passes_every_stage(study: HealthyStudy) -> None:
    verdict = study.verdict()
    assert not [code for code in codes(verdict) if code.startswith("adapter.")]
    assert {c.status for c in verdict.checks if c.id.startswith("adapter")} == {"pass"}


@pytest.mark.parametrize(("changes", "code", "check", "reason", "details"), FAULTS)
def test_a_broken_stage_blocks(
    study: HealthyStudy, changes: dict[str, Any], code: str, check: str, reason: str, details: dict[str, Any]
) -> None:
    study.change("effect/lora.json", changes)
    verdict = study.verdict()
    cause = cause_of(verdict, code)
    assert verdict.causes[0] == cause
    assert (cause.severity, cause.run) == ("blocks", "lora")
    assert cause.reason == reason
    assert details.items() <= cause.details.items()
    assert [c.id for c in verdict.checks if c.id.startswith("adapter.") and c.status == "fail"] == [check]
    assert check_of(verdict, check).details == cause.details
    assert (check_of(verdict, "adapter_change").status, check_of(verdict, "adapter_change").reason) == ("fail", code)
    assert verdict.ready_for_sweep is False


def test_zero_deltas_in_the_weights_are_a_cause_whatever_lora_b_is(study: HealthyStudy) -> None:
    study.change("effect/lora.json", zero_weights(study))
    assert run_causes(study) == ["adapter.zero_delta"]


def test_only_the_lowest_broken_stage_is_a_cause(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"lora_b_zero": 24}, **zero_weights(study)})
    study.change("effect/lora.json", {"logits": {"argmax_flips": 0.0, "largest_difference": 0.0}})
    change_no_text(study)
    assert run_causes(study) == ["adapter.zero_delta"]
    failed = [c.id for c in study.verdict().checks if c.status == "fail" and c.id.startswith("adapter.")]
    assert failed == ["adapter.file", "adapter.weights", "adapter.logits", "adapter.text"]


def test_hypotheses_that_never_change_block(study: HealthyStudy) -> None:
    change_no_text(study)
    assert run_causes(study) == ["adapter.no_text_change"]
    cause = study.verdict().causes[0]
    assert cause.reason == "no_hypothesis_changes"
    assert (cause.details["changed"], cause.details["compared"]) == (0, 358)


def test_tuned_transcripts_that_are_those_of_the_base_model_block(study: HealthyStudy) -> None:
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/lora/{manifest}.json", UNCHANGED)
    assert run_causes(study) == ["adapter.bypassed"]
    cause = study.verdict().causes[0]
    assert cause.reason == "only_validation_changes"
    assert (cause.details["validation_changed"], cause.details["validation_texts"]) == (15, 26)


def test_tuned_transcripts_recorded_without_an_adapter_block(study: HealthyStudy) -> None:
    study.change("transcripts/lora/domain.settings.json", {"adapter": None})
    assert run_causes(study) == ["adapter.bypassed"]
    cause = study.verdict().causes[0]
    assert (cause.reason, cause.details["without_adapter"]) == ("transcribed_without_adapter", ["domain"])


def test_a_base_model_that_is_not_the_one_trained_on(study: HealthyStudy) -> None:
    study.change("adapters/lora/train.json", {"base_model_hash": "f" * 32})
    assert run_causes(study) == ["adapter.base_mismatch"]
    assert study.verdict().causes[0].reason == "other_base_hash"


def test_a_tiny_adapter_that_hardly_changes_a_text_warns(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004})
    change_no_text(study)
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.negligible_delta")
    assert run_causes(study) == ["adapter.negligible_delta"]
    assert cause.severity == "warns"
    check = check_of(verdict, "adapter.weights")
    assert (check.status, check.reason, check.value, check.threshold) == ("warn", "negligible", 0.0004, 0.001)
    assert (cause.details["changed"], cause.details["compared"]) == (0, 358)
    assert check_of(verdict, "adapter_change").status == "warn"
    assert check_of(verdict, "adapter_change").reason == "adapter.weights"


def test_a_tiny_adapter_that_changes_texts_has_an_effect(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004})
    assert run_causes(study) == []
    check = check_of(study.verdict(), "adapter.weights")
    assert (check.status, check.reason) == ("warn", "small_but_texts_change")


def test_a_tiny_adapter_that_is_not_called_is_bypassed(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004, "text": {"adapter_calls": 0}})
    change_no_text(study)
    assert run_causes(study) == ["adapter.bypassed"]


def test_an_adapter_that_overwrites_the_model_warns(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.8})
    verdict = study.verdict()
    assert cause_of(verdict, "adapter.excessive_delta").severity == "warns"
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(
    ("changes", "reason", "details"),
    [
        (
            {"load": {"modules_by_group": {"encoder": 12, "decoder_self": 0, "cross": 0, "mlp": 0}}},
            "encoder_only",
            {"encoder": 12, "decoder": 0},
        ),
        ({"load": {"modules_by_group": {"encoder": 0}}}, "decoder_only", {"encoder": 0, "decoder": 12}),
        ({"file": {"lora_b_zero": 6}}, "unchanged_modules", {"unchanged": 6, "adapted": 24}),
    ],
)
def test_a_module_group_without_adapter_warns(
    study: HealthyStudy, changes: dict[str, Any], reason: str, details: dict[str, Any]
) -> None:
    study.change("effect/lora.json", changes)
    assert run_causes(study) == ["adapter.partial_targets"]
    cause = cause_of(study.verdict(), "adapter.partial_targets")
    assert cause.reason == reason
    assert details.items() <= cause.details.items()


@pytest.mark.parametrize("zeroed", [6, 18])
def test_modules_whose_alpha_is_zero_warn_and_hide_no_change_of_the_others(study: HealthyStudy, zeroed: int) -> None:
    """With most modules at 0 the median of all is 0; it is that of the others that says whether the adapter works."""
    modules = study.files["effect/lora.json"]["weights"]
    off = {"scale": 0.0, "delta_norm": 0.0, "relative_norm": 0.0}
    weights = [{**module, **(off if n < zeroed else {"scale": 2.0})} for n, module in enumerate(modules)]
    study.change("effect/lora.json", {"weights": weights, "median_relative_norm": 0.0 if zeroed > 12 else 0.02})
    assert run_causes(study) == ["adapter.partial_targets"]
    cause = cause_of(study.verdict(), "adapter.partial_targets")
    assert (cause.reason, cause.details["scaled"]["count"], cause.details["adapted"]) == ("scaled_to_zero", zeroed, 24)
    assert "alpha_pattern" in cause.remedy


def test_a_module_group_left_out_on_purpose_is_no_cause(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"load": {"modules_by_group": {"encoder": 0}}})
    study.change("adapters/lora/train.json", {"settings": {"target_parts": ["decoder_self", "cross", "mlp"]}})
    assert run_causes(study) == []
    check = check_of(study.verdict(), "adapter.targets")
    assert (check.status, check.reason) == ("pass", "decoder_only_as_configured")
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
def test_an_unusual_but_healthy_adapter_raises_no_cause(study: HealthyStudy, changes: dict[str, Any]) -> None:
    study.change("effect/lora.json", changes)
    assert run_causes(study) == []


def test_a_broken_candidate_other_than_the_gate_run_only_warns(study: HealthyStudy) -> None:
    study.add_run("external", "adapter")
    study.change("effect/external.json", {"file": {"lora_b_zero": 24}})
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.zero_delta")
    assert (cause.severity, cause.run) == ("warns", "external")
    assert verdict.ready_for_sweep is True


def test_an_external_adapter_of_zeros_blocks_as_the_gate_run(study: HealthyStudy) -> None:
    study.add_run("external", "adapter")
    study.configure({"gate": {"run": "external"}})
    study.change("effect/external.json", {"file": {"lora_b_zero": 24}})
    verdict = study.verdict()
    assert verdict.gate_run == "external"
    assert (verdict.causes[0].code, verdict.causes[0].severity) == ("adapter.zero_delta", "blocks")


@pytest.mark.parametrize("kind", ["hypotheses", "checkpoint"])
def test_external_runs_show_their_effect_by_their_hypotheses(study: HealthyStudy, kind: str) -> None:
    study.add_run("earlier", kind)
    study.configure({"gate": {"run": "earlier"}})
    check = check_of(study.verdict(), "adapter_change")
    assert check.status == "pass"
    assert (check.threshold is None) == (kind == "hypotheses")  # hypotheses have no relative norm
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/earlier/{manifest}.json", UNCHANGED)
    verdict = study.verdict()
    assert "adapter.no_text_change" in codes(verdict)
    assert cause_of(verdict, "adapter.no_text_change").reason == "texts_equal"
    assert check_of(verdict, "adapter_change").status == "fail"


def test_an_adapter_that_was_never_measured_is_unknown(study: HealthyStudy) -> None:
    study.remove("effect/")
    verdict = study.verdict()
    check = check_of(verdict, "adapter_change")
    assert (check.status, check.reason) == ("unknown", "adapter.file")
    assert check_of(verdict, "adapter.file").reason == "not_measured"
    assert verdict.ready_for_sweep is False


def test_an_adapter_without_a_recorded_alpha_is_checked_as_well(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"alpha": None}})
    check = check_of(study.verdict(), "adapter.file")
    assert (check.status, check.details["rank"], check.details["alpha"]) == ("pass", 8, None)
    study.change("effect/lora.json", {"file": {"finite": False}})
    assert run_causes(study) == ["adapter.not_finite"]


def test_few_changed_validation_texts_and_no_changed_transcript_may_be_chance(study: HealthyStudy) -> None:
    for manifest in ("heldout", "domain", "test"):
        study.change(f"paired/lora/{manifest}.json", UNCHANGED)
    study.change("effect/lora.json", {"text": {"changed": 1}})  # (25/26)^212 is 0.0002: not by chance
    assert run_causes(study) == ["adapter.bypassed"]
    for scope in ("within", "all"):
        study.change("paired/lora/domain.json", {scope: {"utterances": 20}})  # (25/26)^32 is 0.3
    assert run_causes(study) == []
    check = check_of(study.verdict(), "adapter.text")
    assert (check.status, check.reason) == ("warn", "few_changes")


def test_training_counts_and_not_a_random_initialisation(study: HealthyStudy) -> None:
    modules = study.files["effect/lora.json"]["weights"]
    unmoved = {"weights": [{**m, "change": 0.0} for m in modules], "median_change": 0.0}
    study.change("effect/lora.json", {"file": {"initialisation": "false"}, **unmoved})
    assert run_causes(study) == ["adapter.zero_delta"]
    assert study.verdict().causes[0].reason == "random_start_only"
    study.change("effect/lora.json", {"file": {"initialisation": "true"}})
    assert run_causes(study) == []


def test_a_random_initialisation_of_unknown_size_warns(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"file": {"initialisation": "false"}})
    check = check_of(study.verdict(), "adapter.weights")
    assert (check.status, check.reason) == ("warn", "random_start_of_unknown_size")
    assert run_causes(study) == []


def test_deltas_of_the_size_of_rounding_count_as_zero(study: HealthyStudy) -> None:
    modules = study.files["effect/lora.json"]["weights"]
    tiny = [{**m, "delta_norm": 4e-7, "relative_norm": 5e-8} for m in modules]
    study.change("effect/lora.json", {"weights": tiny, "median_relative_norm": 5e-8, "file": {"variant": "DoRA"}})
    assert run_causes(study) == ["adapter.zero_delta"]
    assert study.verdict().causes[0].reason == "zero_but_for_rounding"


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
    check = check_of(verdict, "adapter.calls")
    assert (check.status, check.value, check.threshold) == ("warn", 1, 0)
    assert check.details == {"modules": 2, "generates": True, "never_called": {"count": 1, "first": ["p"]}}
    assert verdict.causes[0].details == check.details
    assert verdict.ready_for_sweep is True


@pytest.mark.parametrize(
    ("changes", "check", "reason", "details"),
    [
        (
            {"text": {"repeated": 6, "repeat_changed": 4}},
            "adapter.text",
            "random_texts",
            {"repeated": 6, "repeat_changed": 4},
        ),
        ({"text": {"off_changed": 2}}, "adapter.text", "off_changes_texts", {"off_changed": 2}),
        ({"text": {"merged_changed": 3}}, "adapter.text", "merging_changes_texts", {"merged_changed": 3}),
        ({"load": {"model_folder_adapter": True}}, "adapter.load", "adapter_in_model_folder", {}),
        (
            {"file": {"undeclared": ["x.weight"]}},
            "adapter.file",
            "inconsistent",
            {"undeclared": {"count": 1, "first": ["x.weight"]}},
        ),
        (
            {"file": {"unpaired": ["q", "k"]}},
            "adapter.file",
            "inconsistent",
            {"unpaired": {"count": 2, "first": ["q", "k"]}},
        ),
        ({"logits": {"off_equals_base": False}}, "adapter.logits", "off_differs", {"off_differs_by": []}),
    ],
)
def test_an_unexplained_finding_warns_without_a_cause(
    study: HealthyStudy, changes: dict[str, Any], check: str, reason: str, details: dict[str, Any]
) -> None:
    study.change("effect/lora.json", changes)
    result = check_of(study.verdict(), check)
    assert (result.status, result.reason, run_causes(study)) == ("warn", reason, [])
    assert details.items() <= result.details.items()


def test_the_file_of_an_adapter_that_cannot_be_loaded_is_still_checked(study: HealthyStudy) -> None:
    failure = {"status": "impossible", "code": "adapter.not_loaded", "message": "none of its 48 tensors has a place"}
    study.change("effect/lora.json", {**failure, "weights": None, "logits": None, "text": None})
    verdict = study.verdict()
    statuses = {c.id: c.status for c in verdict.checks if c.id.startswith("adapter.") and c.run == "lora"}
    assert (statuses["adapter.file"], statuses["adapter.load"], statuses["adapter.weights"]) == (
        "pass",
        "fail",
        "unknown",
    )
    assert check_of(verdict, "adapter.load").reason == "impossible"
    assert check_of(verdict, "adapter.weights").reason == "lower_stage_failed"
    assert run_causes(study) == ["adapter.not_loaded"]


@pytest.mark.parametrize(
    ("theirs", "ours", "differ"),
    [
        ("openai/whisper-large-v2", "models/whisper-large-v3", True),
        ("openai/whisper-large-v3", "whisper-large-v3-turbo", True),
        ("openai/whisper-small", "whisper-small.en", True),
        ("openai/whisper-small.en", "whisper-small", True),
        ("facebook/wav2vec2-base-960h", "wav2vec2-base", True),
        ("openai/whisper-small", "my-whisper-small", False),
        ("openai/whisper-tiny", "whisper", False),
        ("openai/whisper-small", "model", False),
        ("/home/me/whisper-small", "models/whisper-small", False),
    ],
)
def test_names_of_models(theirs: str, ours: str, differ: bool) -> None:
    assert names_differ(name_parts(theirs), name_parts(ours)) is differ
