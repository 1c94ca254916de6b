"""The effect of a tuned checkpoint: its tensors against those of the base model."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, codes

STAGE: dict[str, Any] = {
    "base_type": "whisper", "tuned_type": "whisper", "tensors": 100, "shared": 100, "changed": ["a.weight"],
    "rounded": 0, "reshaped": [], "only_base": [], "only_tuned": [], "unmerged": [],
    "non_finite": [], "other_files": [],
}  # fmt: skip
MODULE = {
    "name": "a",
    "module_group": "encoder",
    "delta_norm": 1.0,
    "base_norm": 50.0,
    "relative_norm": 0.02,
    "stable_rank": None,
}


@pytest.fixture
def tuned(study: HealthyStudy) -> HealthyStudy:
    study.add_run("full", "checkpoint")
    study.configure({"gate": {"run": "full"}})
    study.files["effect/full.json"] = {
        "run": "full",
        "checkpoint": STAGE,
        "weights": [MODULE],
        "median_relative_norm": 0.02,
    }
    return study


def test_a_tuned_checkpoint_passes_by_tensors_weights_and_texts(tuned: HealthyStudy) -> None:
    verdict = tuned.verdict()
    checks = {c.id: c.status for c in verdict.checks if c.run == "full" and c.id.startswith("adapter.")}
    assert {checks[id] for id in ("adapter.load", "adapter.weights", "adapter.text")} == {"pass"}
    assert check_of(verdict, "adapter_change").status == "pass"
    details = next(c.details for c in verdict.checks if (c.id, c.run) == ("adapter.weights", "full"))
    assert (details["matrices_by_group"], details["median"]) == ({"encoder": 1}, 0.02)
    assert not [code for code in codes(verdict) if code.startswith("adapter.")]


FAULTS: list[tuple[dict[str, Any], str, str, dict[str, Any]]] = [
    ({"changed": []}, "adapter.zero_delta", "no_tensor_changed", {"shared": 100, "rounded": 0}),
    ({"changed": [], "rounded": 9}, "adapter.zero_delta", "no_tensor_changed", {"rounded": 9}),
    (
        {"tuned_type": "moonshine"},
        "adapter.base_mismatch",
        "other_model_type",
        {"tuned_type": "moonshine", "base_type": "whisper"},
    ),
    ({"shared": 3}, "adapter.base_mismatch", "other_architecture", {"shared": 3, "tensors": 100}),
    (
        {"unmerged": ["x.lora_A.weight"]},
        "adapter.not_loaded",
        "unmerged_adapter",
        {"unmerged": {"count": 1, "first": ["x.lora_A.weight"]}},
    ),
    (
        {"non_finite": ["a.weight"]},
        "adapter.not_finite",
        "tensors_not_finite",
        {"not_finite": {"count": 1, "first": ["a.weight"]}},
    ),
]


@pytest.mark.parametrize(("change", "code", "reason", "details"), FAULTS)
def test_the_lowest_fault_of_a_checkpoint_is_its_cause(
    tuned: HealthyStudy, change: dict[str, Any], code: str, reason: str, details: dict[str, Any]
) -> None:
    tuned.change("effect/full.json", {"checkpoint": change})
    verdict = tuned.verdict()
    assert [c for c in codes(verdict) if c.startswith("adapter.")] == [code]
    cause = cause_of(verdict, code)
    assert cause.reason == reason
    assert details.items() <= cause.details.items()
    assert verdict.ready_for_sweep is False


@pytest.mark.parametrize(
    ("change", "reason", "details"),
    [
        ({"shared": 99, "reshaped": ["embed"]}, "other_tensors", {"reshaped": {"count": 1, "first": ["embed"]}}),
        ({"only_tuned": ["head"]}, "other_tensors", {"only_tuned": {"count": 1, "first": ["head"]}}),
        ({"other_files": ["tokenizer.json"]}, "other_tokenizer", {"other_files": ["tokenizer.json"]}),
    ],
)
def test_an_odd_checkpoint_warns(
    tuned: HealthyStudy, change: dict[str, Any], reason: str, details: dict[str, Any]
) -> None:
    tuned.change("effect/full.json", {"checkpoint": change})
    check = next(c for c in tuned.verdict().checks if (c.id, c.run) == ("adapter.load", "full"))
    assert (check.status, check.reason) == ("warn", reason)
    assert details.items() <= check.details.items()


def test_the_tokenizer_of_the_base_is_named(tuned: HealthyStudy) -> None:
    tuned.change("effect/full.json", {"checkpoint": {"base_tokenizer": True}})
    check = next(c for c in tuned.verdict().checks if (c.id, c.run) == ("adapter.load", "full"))
    assert (check.status, check.details["base_tokenizer"]) == ("pass", True)
    assert "saved without a tokenizer, so the base model's is used" in check.summary


@pytest.mark.parametrize(("median", "code"), [(0.8, "adapter.excessive_delta"), (1e-5, "adapter.negligible_delta")])
def test_a_checkpoint_that_changed_too_much_or_too_little(tuned: HealthyStudy, median: float, code: str) -> None:
    tuned.change("effect/full.json", {"median_relative_norm": median})
    for manifest in ("heldout", "domain", "test"):
        hardly = {"changed_hypotheses": 0 if manifest != "domain" else 1}
        tuned.change(f"paired/full/{manifest}.json", {"within": hardly, "all": hardly})
    assert code in codes(tuned.verdict())
