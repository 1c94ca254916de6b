"""Sentences of the effect ladder, of the training and of outcomes."""

from __future__ import annotations

from typing import Any

import pytest
from healthy import HealthyStudy, cause_of, check_of, interval


@pytest.mark.parametrize(
    ("file", "changes", "code", "words"),
    [
        (
            "effect",
            {"file": {"lora_b_zero": 24}},
            "adapter.zero_delta",
            "All 24 lora_B matrices of lora are exactly zero.",
        ),
        (
            "effect",
            {"load": {"tensors_loaded": 47, "shape_mismatches": ["m"], "missing_keys": ["m"], "missing_zero": ["m"]}},
            "adapter.not_loaded",
            "47 of 48 tensors of lora are in the model; other shape in the model: m; 0 LoRA matrices kept random "
            "initial "
            "values and 1 kept zeros.",
        ),
        (
            "effect",
            {"load": {"base_matches": False, "base_evidence": "revision", "base_trained_on": "other/model"}},
            "adapter.base_mismatch",
            "lora is loaded into another model than the one it was trained on (other/model): their revisions differ.",
        ),
        (
            "effect",
            {"text": {"calls_by_module": {"p": 0, "q": 3}, "never_called": ["p"]}},
            "adapter.bypassed",
            "1 of 2 adapted modules of lora are never called inside `generate`: p.",
        ),
        (
            "train",
            {"zero_gradient_modules": ["a", "b"]},
            "training.no_gradient",
            "2 of 24 adapted modules of lora never received a gradient (a and b).",
        ),
        (
            "train",
            {"learning_rate_peak": 0.0004},
            "training.lr_not_applied",
            "The learning rate of lora reached at most 0.0004 in the optimizer; 0.001 is configured.",
        ),
        (
            "train",
            {"validation": [{"step": 20, "loss": 0.5}, {"step": 100, "loss": 0.9}]},
            "training.overfit",
            "The validation loss of lora is lowest at step 20 (0.5) and 0.9 at its last, 100, while the training "
            "loss fell "
            "to 0.31.",
        ),
        (
            "train",
            {"best_kept": False},
            "training.best_not_kept",
            "Step 80 of lora has the best validation result, but its weights were not kept.",
        ),
    ],
)
def test_a_cause_is_worded_with_its_numbers(
    study: HealthyStudy, file: str, changes: dict[str, Any], code: str, words: str
) -> None:
    study.change({"effect": "effect/lora.json", "train": "adapters/lora/train.json"}[file], changes)
    assert cause_of(study.verdict(), code).because == words


def test_a_weak_adapter_is_worded_with_its_norm_and_its_hypotheses(study: HealthyStudy) -> None:
    study.change("effect/lora.json", {"median_relative_norm": 0.0004, "text": {"changed": 0}})
    for manifest in ("heldout", "domain", "test"):
        unchanged = {"changed_hypotheses": 0, "outcome": "unchanged"}
        study.change(f"paired/lora/{manifest}.json", {"within": unchanged, "all": unchanged})
    verdict = study.verdict()
    cause = cause_of(verdict, "adapter.negligible_delta")
    assert cause.because == (
        "lora changes the weights of 24 adapted modules by a median of 0.04 % of their norm (0.1 % or more is "
        "usual), and "
        "0 of 358 hypotheses change."
    )
    assert "Add a sweep entry" in cause.remedy
    assert check_of(verdict, "adapter_change").summary == cause.because


def test_a_working_adapter_is_worded_by_its_weights_and_its_hypotheses(study: HealthyStudy) -> None:
    assert check_of(study.verdict(), "adapter_change").summary == (
        "lora changes the weights of 24 adapted modules by a median of 5.0 % of their norm. 125 of 358 "
        "hypotheses (validation and all evaluation rows) change "
        "with lora, whose layers ran 4,200 times."
    )


def test_an_impossible_effect_keeps_its_message_as_it_is(study: HealthyStudy) -> None:
    failure = {"status": "impossible", "code": "adapter.not_loaded", "message": "../runs/x: none of its tensors fits."}
    study.change("effect/lora.json", {**failure, "file": None, "weights": None, "logits": None, "text": None})
    verdict = study.verdict()
    assert check_of(verdict, "adapter.file").summary == "lora: ../runs/x: none of its tensors fits."
    assert cause_of(verdict, "adapter.not_loaded").because == "../runs/x: none of its tensors fits."


WORSE = {"delta": 0.021, "tuned_wer": 0.396, "interval": interval(0.008, 0.034), "outcome": "worse"}


def test_a_worse_run_is_worded_with_its_interval_and_its_explanation(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"within": WORSE})
    study.change("adapters/lora/train.json", {"validation": [{"step": 20, "loss": 0.4}, {"step": 100, "loss": 0.9}]})
    assert cause_of(study.verdict(), "adapter.worsens").because == (
        "lora is 2.10 points worse on domain: WER 37.5 % before and 39.6 % after tuning (95 % interval of the "
        "change for "
        "this adapter +0.80 to +3.40). Most likely the training overfits."
    )


def test_a_worse_run_with_broken_hypotheses_is_to_be_read_first(study: HealthyStudy) -> None:
    study.change("paired/lora/domain.json", {"within": WORSE})
    study.change("wer/lora/domain.json", {"within": {"truncated": 40}})
    cause = cause_of(study.verdict(), "adapter.worsens")
    assert "Unlike the baseline's, its hypotheses are broken: 40 of 200 hypotheses (20.0 %) are trunc" in cause.because
    assert cause.remedy.startswith("Read some transcripts of lora")


def test_a_worse_external_run_is_to_be_traced_to_its_training(study: HealthyStudy) -> None:
    study.add_run("earlier", "hypotheses")
    study.change("paired/earlier/domain.json", {"within": WORSE})
    causes = [c for c in study.verdict().causes if c.code == "adapter.worsens"]
    assert [c.remedy for c in causes] == [
        "Find out with which data and settings earlier was trained before a sweep entry repeats them."
    ]
