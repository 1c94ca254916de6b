"""Sweeps of real trainings with a known truth: more steps overfit, a rate is too high, replay cures forgetting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from small_study import Study, make_study

SETTINGS = {"batch_size": 8, "warmup_steps": 0, "eval_steps": 1000, "scheduler": "constant"}  # keeps the last step
SEEDS = [1, 2, 3]
SWEEP = {
    # 16 rows at a high rate: learnt by heart long before 128 steps.
    "over": {**SETTINGS, "data_share": 0.06, "learning_rate": 3e-3, "grid": {"max_steps": [8, 32, 128], "seed": SEEDS}},
    "rate": {**SETTINGS, "max_steps": 24, "grid": {"learning_rate": [1e-3, 1e-2], "seed": SEEDS}},
    "replay": {**SETTINGS, "max_steps": 48, "learning_rate": 5e-3, "grid": {"replay_share": [0, 0.5], "seed": SEEDS}},
}
HYPOTHESES = {
    "overfitting": {"preset": "training_volume", "factor": ["max_steps"], "runs": ["over"]},
    "rate": {"preset": "learning_rate", "runs": ["rate"]},
    "replay": {"preset": "domain_shift", "runs": ["replay"]},
}


def study_with_replay(folder: Path) -> Study:
    """The embedded study's rows, half of its general manifest as replay, and margins that 70 rows can decide."""
    study = make_study(
        folder,
        {"model": {"cpu_threads": 2}, "candidates": {"lora": {"train": {"max_steps": 2}}}},
        counts={"train": 300, "heldout": 140, "domain": 120, "test": 3},
    )
    general = study.rows("heldout")
    study.write_rows("heldout", general[1::2])
    study.write_rows("replay", general[::2])
    study.configure(
        {
            "manifests": {"replay": "data/replay_manifest.jsonl"},
            "roles": {"general": ["heldout"], "domain": ["domain", "test"]},
            "statistics": {"equivalence_margin": 0.02},
            "sweep": SWEEP,
            "hypotheses": HYPOTHESES,
        }
    )
    return study


def outcomes(hypothesis: dict[str, Any], manifest: str, setting: str) -> dict[str, dict[str, Any]]:
    """Differences to the base on a manifest, by the value of a setting."""
    found = [one for one in (*hypothesis["outcomes"], *hypothesis["guarded"]) if one["manifest"] == manifest]
    return {one["recipe"].split(f"{setting} ")[1].split(",")[0]: one["against_base"] for one in found}


@pytest.mark.slow  # 21 trainings, about a quarter of an hour
def test_real_trainings_are_judged_as_they_are(tmp_path: Path) -> None:
    study = study_with_replay(tmp_path / "sweep")
    study.run("sweep", "--config", "sweep_anyway=True", "sweep_reason=a known truth")
    facts = {one["id"]: one for one in json.loads((study.results / "recipes.json").read_text())["hypotheses"]}
    decided = {
        found["id"]: (found["state"], found["reason"])
        for found in json.loads((study.results / "hypotheses.json").read_text())["hypotheses"]
    }
    assert decided["rate"] == ("refuted", "no_level_better")

    # Seeds of what was learnt by heart differ by up to 14 points: harm is shown, a trend over the levels is not.
    (trend,) = facts["overfitting"]["trends"]
    assert trend["trend"]["best_level"] == 8
    steps = outcomes(facts["overfitting"], "domain", "max_steps")
    assert [steps[level]["interval"]["low"] > 0 for level in ("8", "32", "128")] == [False, True, True]

    forgetting = outcomes(facts["replay"], "heldout", "replay_share")
    assert forgetting["0"]["interval"]["low"] > 0
    assert forgetting["0.5"]["difference"] < forgetting["0"]["difference"] / 2
