"""A training with replay and evaluations: what it costs, and whether the saved adapter is what was evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from small_study import Study, make_study

from lora.records.in_run import InRunFacts
from lora.records.integrity import LeakageFacts
from lora.records.training import TrainFacts

SharedStudy = Callable[[str, Callable[[Path], Study]], Study]
COUNTS = {"train": 32, "heldout": 4, "domain": 4, "test": 1}
EVALUATED = 2 + 2 + 1  # rows of `eval_rows: 2`
TARGETS = ("results/in_run/lora.json", "results/leakage/replay/heldout.json", "results/leakage/replay/domain.json")
TRAINING = {"replay_share": 0.25, "data_share": 0.5, "eval_rows": 2, "learning_rate": 0.01}


def replay_is_part_of_heldout(folder: Path) -> Study:
    """One of its four rows is a row of the guard set."""
    changes = {
        "manifests": {"replay": "data/replay_manifest.jsonl"},
        "durations": {"thresholds": [5, 8], "min_train_samples": 10},
        "candidates": {"lora": {"train": {"max_steps": 2, "eval_steps": 1} | TRAINING}},
    }
    study = make_study(folder, changes, COUNTS)
    shared, *others = study.rows("heldout")
    study.write_rows("heldout", [shared])
    study.write_rows("replay", [dict(shared, id="copy"), *others])
    study.run(*TARGETS)
    return study


@pytest.fixture(scope="session")
def mixed(shared_study: SharedStudy) -> Study:
    return shared_study("replay", replay_is_part_of_heldout)


def test_work_is_counted_and_the_saved_adapter_gives_the_same_texts(mixed: Study) -> None:
    rows = EVALUATED - 1  # heldout has one row
    work = mixed.work_since({})
    assert work.steps == 2
    assert work.decoded == {"adapters/lora/train.run.json": 3 * rows, "in_run/lora": 2 * rows}
    facts = InRunFacts.read(mixed.results / "in_run/lora.json")
    assert (facts.rows, facts.same_as_in_run, facts.step) == (rows, rows, 2)
    training = TrainFacts.read(mixed.results / "adapters/lora/train.json")
    assert training.replay is not None
    assert training.replay.available_rows == 4
    assert training.train_rows == ((training.available_rows or 0) + 1) // 2
    config = json.loads((mixed.folder / "work/config.json").read_text())
    assert config["manifests"]["replay"] == "data/replay_manifest.jsonl"


def test_a_guard_row_in_replay_is_found(mixed: Study) -> None:
    heldout, domain = (
        LeakageFacts.read(mixed.results / f"leakage/replay/{name}.json") for name in ("heldout", "domain")
    )
    assert [(row.id, row.train_id) for row in heldout.same_audio] == [(mixed.rows("heldout")[0]["id"], "copy")]
    assert domain.same_audio == []


def test_trackers_make_nothing_stale_and_a_swapped_adapter_shows(mixed: Study, tmp_path: Path) -> None:
    study = mixed.copy(tmp_path / "a copied study")
    study.configure({"candidates": {"lora": {"train": {"report_to": ["tensorboard"]}}}})
    done = study.snakemake("-n", *TARGETS)
    assert "Nothing to be done" in done.stdout + done.stderr
    weights = study.results / "adapters/lora/last/adapter_model.safetensors"
    save_file({name: tensor * 0 for name, tensor in load_file(weights).items()}, weights)
    (study.results / "adapters/lora/train.run.json").unlink()  # with it, a run would take the trained adapter back
    work = study.run(*TARGETS, "--forcerun", "compare_in_run")
    rows = EVALUATED - 1
    assert (work.steps, work.decoded) == (0, {"in_run/lora": rows})  # the base model's texts are known
    facts = InRunFacts.read(study.results / "in_run/lora.json")
    assert facts.same_as_base == facts.rows == rows
    assert (facts.same_as_in_run or 0) < rows
