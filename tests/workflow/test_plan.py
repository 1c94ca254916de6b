"""`make plan`: what is stale, which file or key is the reason, and whether the model has to run."""

from __future__ import annotations

import json
import os
import subprocess

from preloaded_python import preloaded_python
from small_study import REPOSITORY, Study


def plan(study: Study, *options: str) -> str:
    done = subprocess.run(
        [preloaded_python(), str(REPOSITORY / "scripts/plan.py"), "--cores", "2", *options],
        cwd=study.folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_finished_study_has_nothing_stale(study: Study) -> None:
    assert plan(study) == "Nothing is stale: a run would only publish.\n"


def test_a_changed_key_and_a_changed_file_are_named(study: Study) -> None:
    study.configure({"candidates": {"lora": {"train": {"learning_rate": 0.003}}}})
    rows = study.rows("domain")
    study.write_rows("domain", rows[:-1])
    text = plan(study)
    assert "Changed in the configuration: candidates.lora.train.learning_rate: " in text
    assert "Stale: train_adapter (lora): changed setting or code: --learning-rate " in text
    assert "because of a changed file: data/domain_manifest.jsonl" in text
    assert "  train_adapter (lora) trains" in text
    assert "transcribe_run (base)" in text


def test_of_several_configurations_later_ones_count(study: Study) -> None:
    """The first pair is what `lora-diagnose plan` writes before options of its caller."""
    (study.folder / "cheaper.yaml").write_text("adapter: {sample: 5}\n")
    options = ["--configfile", "config.yaml", "--cores", "2", "--configfile", "config.yaml", "cheaper.yaml"]
    assert "Changed in the configuration: adapter.sample: 6 -> 5" in plan(study, "--", *options)


def test_new_thresholds_with_the_same_choice_need_no_model_work(study: Study) -> None:
    chosen = json.loads((study.results / "max_seconds.json").read_text())["max_seconds"]
    study.configure({"durations": {"thresholds": [4, chosen, 12]}})
    text = plan(study)
    assert "durations.thresholds: " in text
    assert "No model work: no utterance is decoded and no optimiser step taken." in text
