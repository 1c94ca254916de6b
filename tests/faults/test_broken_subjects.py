"""A broken subject still gets its verdict, with the right cause first, through the real workflow.

Faults are planted in data, configuration and adapters, never by patching a check; the healthy neighbour is the small
study itself, which must carry none of these causes.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.numpy import load_file, save_file
from small_study import Study


def gate_causes(study: Study) -> list[str]:
    return [cause["code"] for cause in study.verdict()["causes"] if cause["severity"] == "blocks"]


def assert_blocked_by(study: Study, code: str) -> None:
    """The verdict names the cause first, the gate says no, and every document was still made."""
    assert gate_causes(study)[:1] == [code], json.dumps(study.verdict()["causes"], indent=1)
    assert study.verdict()["ready_for_sweep"] is False
    gate = study.snakemake("gate")
    assert gate.returncode != 0
    assert code in gate.stdout + gate.stderr
    assert code in (study.folder / "docs/experiment_plan.md").read_text()


def test_the_healthy_neighbour_is_ready(computed: Study) -> None:
    assert gate_causes(computed) == []
    assert computed.verdict()["ready_for_sweep"] is True
    assert computed.snakemake("gate").returncode == 0


def test_targets_that_match_nothing(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"target_modules": ["no_such_module"]}}}})
    work = study.run()
    assert work.steps == 0
    assert_blocked_by(study, "adapter.no_target_modules")


def test_learning_rate_zero(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"learning_rate": 0.0}}}})
    study.run()
    facts = json.loads((study.results / "adapters/lora/train.json").read_text())
    assert facts["optimizer_steps"] == facts["planned_steps"] > 0
    assert_blocked_by(study, "training.lr_not_applied")
    paired = json.loads((study.results / "paired/lora/domain.json").read_text())
    assert paired["within"]["outcome"] == "unchanged"


def test_loss_that_is_not_finite(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"learning_rate": 1e30, "scheduler": "constant"}}}})
    study.run()
    assert_blocked_by(study, "training.diverged")


def test_no_row_survives(study: Study) -> None:
    study.configure({"durations": {"thresholds": [0.1], "max_seconds": 0.1}})
    study.run()
    assert json.loads((study.results / "max_seconds.json").read_text())["max_seconds"] in (None, 0.1)
    assert_blocked_by(study, "data.too_few_samples")


def test_a_brought_adapter_whose_deltas_are_zero(study: Study) -> None:
    brought = bring_adapter(study)
    tensors = load_file(brought / "adapter_model.safetensors")
    zeroed = {name: value * 0 if "lora_B" in name else value for name, value in tensors.items()}
    save_file(zeroed, brought / "adapter_model.safetensors")
    study.run()
    assert_blocked_by(study, "adapter.zero_delta")


def test_a_brought_adapter_that_is_whole(study: Study) -> None:
    bring_adapter(study)
    study.run()
    assert gate_causes(study) == []
    assert study.verdict()["ready_for_sweep"] is True


def test_a_brought_adapter_for_another_model(study: Study) -> None:
    brought = bring_adapter(study)
    tensors = load_file(brought / "adapter_model.safetensors")
    save_file(
        {f"base_model.model.other.{i}": v for i, v in enumerate(tensors.values())},
        brought / "adapter_model.safetensors",
    )
    study.run()
    assert_blocked_by(study, "adapter.not_loaded")


def bring_adapter(study: Study) -> Path:
    """Give the trained adapter as one that somebody brought, and make it the only candidate."""
    brought = study.folder / "brought"
    shutil.copytree(study.results / "adapters/lora/best", brought)
    study.configure({"candidates": {"lora": None, "theirs": {"adapter": "brought"}}})
    return brought


@pytest.mark.parametrize(
    "difference", [{"decode": {"num_beams": 2}}, {"normalizer": "none"}], ids=["decode", "normalizer"]
)
def test_a_candidate_measured_under_other_settings(study: Study, difference: dict[str, object]) -> None:
    study.configure({"candidates": {"lora": difference}})
    study.run()
    assert_blocked_by(study, "parity.decode" if "decode" in difference else "parity.normalization")


def test_upper_cased_labels(study: Study) -> None:
    study.write_rows("train", [{**row, "text": row["text"].upper()} for row in study.rows("train")])
    study.run()
    assert_blocked_by(study, "labels.style_mismatch")
