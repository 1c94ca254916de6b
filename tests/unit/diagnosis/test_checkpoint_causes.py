"""D3 of a tuned checkpoint: what its tensors say against the base model's."""

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
        "run": "full", "checkpoint": STAGE, "weights": [MODULE], "median_relative_norm": 0.02
    }  # fmt: skip
    return study


def test_a_tuned_checkpoint_passes_by_tensors_weights_and_texts(tuned: HealthyStudy) -> None:
    verdict = tuned.verdict()
    checks = {c.id: c.status for c in verdict.checks if c.run == "full" and c.id.startswith("adapter.")}
    assert {checks[id] for id in ("adapter.load", "adapter.weights", "adapter.text")} == {"pass"}
    assert check_of(verdict, "adapter_change").status == "pass"
    assert "(encoder 1) by a median of 2.0 % of their norm" in check_of(verdict, "adapter_change").summary
    assert not [code for code in codes(verdict) if code.startswith("adapter.")]


FAULTS = [
    ({"changed": []}, "adapter.zero_delta", "All 100 tensors of full equal the base model's: nothing was tuned."),
    ({"changed": [], "rounded": 9}, "adapter.zero_delta", "equal the base model's but for rounding (9 of them)"),
    (
        {"tuned_type": "moonshine"},
        "adapter.base_mismatch",
        "full is a moonshine model, while the base is a whisper model",
    ),
    ({"shared": 3}, "adapter.base_mismatch", "Only 3 of 100 tensors of full have the name and shape"),
    ({"unmerged": ["x.lora_A.weight"]}, "adapter.not_loaded", "holds an adapter that was not merged: x.lora_A.weight"),
    ({"non_finite": ["a.weight"]}, "adapter.not_finite", "not finite (a.weight)"),
]


@pytest.mark.parametrize(("change", "code", "words"), FAULTS)
def test_the_lowest_fault_of_a_checkpoint_is_its_cause(
    tuned: HealthyStudy, change: dict[str, Any], code: str, words: str
) -> None:
    tuned.change("effect/full.json", {"checkpoint": change})
    verdict = tuned.verdict()
    assert [c for c in codes(verdict) if c.startswith("adapter.")] == [code]
    assert words in cause_of(verdict, code).because
    assert verdict.ready_for_sweep is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shared": 99, "reshaped": ["embed"]}, "1 tensor of another size (a resized vocabulary does that): embed"),
        ({"only_tuned": ["head"]}, "1 tensor that only the checkpoint holds: head"),
        ({"other_files": ["tokenizer.json"]}, "other bytes than the base's in tokenizer.json"),
    ],
)
def test_what_is_odd_about_a_checkpoint_warns(tuned: HealthyStudy, change: dict[str, Any], words: str) -> None:
    tuned.change("effect/full.json", {"checkpoint": change})
    check = next(c for c in tuned.verdict().checks if (c.id, c.run) == ("adapter.load", "full"))
    assert check.status == "warn"
    assert words in check.summary


@pytest.mark.parametrize(("median", "code"), [(0.8, "adapter.excessive_delta"), (1e-5, "adapter.negligible_delta")])
def test_a_checkpoint_that_moved_too_far_or_hardly(tuned: HealthyStudy, median: float, code: str) -> None:
    tuned.change("effect/full.json", {"median_relative_norm": median})
    for manifest in ("heldout", "domain", "test"):
        hardly = {"changed_hypotheses": 0 if manifest != "domain" else 1}
        tuned.change(f"paired/full/{manifest}.json", {"within": hardly, "all": hardly})
    assert code in codes(tuned.verdict())
