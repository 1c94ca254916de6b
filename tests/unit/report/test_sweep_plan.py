"""The plan of a sweep: runs, steps and predicted time of every hypothesis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from lora import layout
from lora.configuration.loading import load_configuration
from lora.configuration.study import StudyConfig
from lora.records.experiment import DataIdentity, Experiment, Hardware
from lora.records.manifests import ManifestFacts
from lora.records.provenance import RunRecord
from lora.records.settings import ModelIdentity
from lora.report.sweep_plan import describe_sweep, plan_sweep

REPOSITORY = Path(__file__).parents[3]
SWEEP = {"rate": {"max_steps": 50, "grid": {"learning_rate": [1e-4, 1e-3], "seed": [1, 2, 3]}}}


def study(sweep: dict[str, Any] = SWEEP, **changes: Any) -> StudyConfig:
    given = {**yaml.safe_load((REPOSITORY / "config.yaml").read_text()), "sweep": sweep, **changes}
    return StudyConfig.from_json(load_configuration(given, None, REPOSITORY))


def execution(seconds: float, **counts: int) -> RunRecord:
    return RunRecord(
        command="c",
        started="2026-01-01T00:00:00+00:00",
        seconds=seconds,
        peak_memory_mb=1,
        host="here",
        platform="p",
        python="3",
        versions={},
        commit=None,
        **counts,
    )


def write_training(results: Path, config: StudyConfig, run: str, seconds: float, steps: int, **changes: Any) -> None:
    settings = {**config.trained[run].to_json(), **changes.pop("settings", {})}
    Experiment(
        run=run,
        status=changes.pop("status", "finished"),
        attempt=1,
        ended=None,
        error=None,
        code=None,
        optimizer_steps=steps,
        training="k",
        settings=settings,
        processes=1,
        data={"train": DataIdentity(path="t", rows=9, hash="h")},
        model=ModelIdentity(id="m", revision=None, hash="h", family="f", window_seconds=None),
        hardware=Hardware(cpu="c", cores=1, memory_gb=1, gpus=[]),
        execution=execution(seconds, optimizer_steps=steps),
    ).write(results / f"adapters/{run}/experiment.json")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results after the diagnosis: one training of 100 steps in 80 s, 400 utterances decoded in 40 s."""
    write_training(tmp_path, study(), "lora", seconds=80, steps=100)
    execution(40, utterances_decoded=400).write(tmp_path / "transcripts/base/transcribe.run.json")
    for name, rows in (("heldout", 100), ("domain", 90), ("test", 10)):
        facts = {
            "format": "jsonl",
            "split": None,
            "columns": {},
            "rows": rows,
            "rejected": 0,
            "hours": 1,
            "speakers": 1,
        }
        ManifestFacts.model_validate(facts).write(tmp_path / layout.MANIFEST_FACTS.path(manifest=name))
    return tmp_path


def test_times_are_predicted_from_what_was_measured(results: Path) -> None:
    plan = plan_sweep(study(), results)
    # 800 rows in 80 s, 0.1 s an utterance: 50 steps of 8 rows and 200 utterances cost 40 + 20 s. The candidate was
    # trained but not compared yet, so that it counts too.
    assert (plan.rates.seconds_per_row, plan.rates.seconds_per_utterance, plan.rates.utterances) == (
        0.1,
        0.1,
        [100, 90, 10],
    )
    assert plan.total.steps == 6 * 50 + 100
    assert plan.total.seconds == pytest.approx(6 * 60 + 100)
    assert plan.rates.hosts == ["here"]


def test_the_batch_counts(results: Path) -> None:
    config = study({"wide": {"max_steps": 10, "batch_size": 16, "gradient_accumulation": 2}}, hypotheses={})
    plan = plan_sweep(config, results)
    assert plan.total.seconds == pytest.approx(100 + 10 * 32 * 0.1 + 20)


def test_evaluations_while_training_count(results: Path) -> None:
    config = study({"looked-at": {"max_steps": 50, "eval_steps": 20, "eval_rows": 30}}, hypotheses={})
    plan = plan_sweep(config, results)
    # Three validations and the comparison with the saved adapter, of 30, 30 and 10 rows each.
    assert plan.total.seconds == pytest.approx(100 + 40 + 20 + 4 * 70 * 0.1)


def test_finished_runs_cost_nothing_more_until_their_settings_change(results: Path) -> None:
    config = study()
    for run in ("lora", "rate-1e-4-s1", "rate-1e-4-s2", "rate-1e-4-s3"):
        write_training(results, config, run, seconds=40, steps=50)
        for manifest in config.evaluations:
            path = results / layout.PAIRED.path(run=run, manifest=manifest)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    write_training(results, config, "rate-1e-4-s2", seconds=40, steps=50, settings={"rank": 9})
    write_training(results, config, "rate-1e-4-s3", seconds=40, steps=50, status="running")
    missing = plan_sweep(config, results).total.missing
    assert missing == ["rate-1e-4-s2", "rate-1e-4-s3", "rate-1e-3-s1", "rate-1e-3-s2", "rate-1e-3-s3"]


def test_settings_as_a_command_line_writes_them_are_the_same(results: Path) -> None:
    config = study({"q": {"target_modules": ["v_proj", "q_proj"], "alpha": 16}}, hypotheses={})
    written = {"target_modules": "q_proj,v_proj", "alpha": 16.0}
    write_training(results, config, "q", seconds=40, steps=100, settings=written)
    for manifest in config.evaluations:
        path = results / layout.PAIRED.path(run="q", manifest=manifest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert plan_sweep(config, results).total.missing == ["lora"]


def test_nothing_measured_is_unknown(tmp_path: Path) -> None:
    plan = plan_sweep(study(), tmp_path)
    assert plan.total.seconds is None
    assert plan.total.steps == 400
    assert "unknown time" in describe_sweep(plan, {})[0]


def test_a_hypothesis_counts_the_runs_that_differ_in_its_factor_alone(results: Path) -> None:
    hypotheses = {
        "H2": {"preset": "training_volume"},
        "H3": {"preset": "learning_rate"},
        "H4": {"preset": "domain_shift"},
    }
    plan = plan_sweep(study(hypotheses=hypotheses), results)
    volume, rate, shift = plan.hypotheses
    # The candidate has 100 steps, another rate than none of the group, and one seed.
    assert volume.levels["max_steps"] == 2
    assert (volume.recipes, volume.fewest_seeds) == (2, 1)
    assert rate.levels == {"learning_rate": 2}
    assert (rate.cost.steps, rate.recipes, rate.fewest_seeds) == (300, 2, 3)
    assert "lora" not in rate.cost.runs
    assert (shift.levels, shift.recipes, len(shift.cost.runs)) == ({}, 3, 7)
    lines = describe_sweep(plan, {})
    assert "too few: a claim needs 3 seeds" in lines[1]
    assert lines[2] == (
        "  H3: 6 of 6 runs to do, at most 300 optimiser steps, about 6 min "
        "(2 values of learning_rate; 2 recipes of 3 seeds)"
    )


def test_a_hypothesis_that_no_run_varies_is_not_run(results: Path) -> None:
    plan = plan_sweep(study(hypotheses={"H": {"preset": "larger_adapter", "factor": "rank"}}), results)
    assert plan.hypotheses[0].cost.runs == []
    assert describe_sweep(plan, {})[1] == "  H: not run: no two runs differ in rank alone"
