"""What a sweep will cost before it is run: for each hypothesis its runs, optimiser steps and predicted time.

Times are predicted from what this study has measured: seconds per row of a training batch from `experiment.json` of
finished trainings, seconds per utterance from the run records of transcriptions. What was not measured is unknown.
Start-up is part of both, so short measured jobs make long predicted ones look slower than they will be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora import layout
from lora.configuration.hypotheses import factors_of, runs_of_hypothesis
from lora.configuration.recipes import contrasts, identity, recipes
from lora.configuration.study import StudyConfig, TrainConfig
from lora.formatting import count, duration, listed
from lora.records.base import UserError
from lora.records.experiment import Experiment
from lora.records.provenance import RunRecord
from lora.results import read_result

EXPERIMENT = "adapters/{run}/experiment.json"


@dataclass(frozen=True)
class Rates:
    """Measured speed; None where nothing was measured.

    Attributes:
        seconds_per_row: Seconds of training per row of a batch and step.
        seconds_per_utterance: Seconds of transcription per utterance.
        utterances: Rows of every evaluation manifest, which each run transcribes.
        hosts: Machines of the measurements.
    """

    seconds_per_row: float | None
    seconds_per_utterance: float | None
    utterances: list[int] | None
    hosts: list[str]


@dataclass(frozen=True)
class Cost:
    """What some runs cost.

    Attributes:
        runs: All of them.
        missing: Those that are not finished with their present settings.
        steps: Optimiser steps of the missing ones, at most: a training may stop early.
        seconds: Predicted time of the missing ones, one after the other; None if unknown.
    """

    runs: list[str]
    missing: list[str]
    steps: int
    seconds: float | None


@dataclass(frozen=True)
class PlannedHypothesis:
    """A hypothesis before its runs.

    Attributes:
        id: Its name in the configuration.
        statement: The claim.
        cost: The runs that it compares: with a factor, those that differ in it with all else equal.
        levels: Most values of each factor that are compared with all else equal; 0 where no two runs are.
        recipes: Number of recipes among its runs.
        fewest_seeds: Seeds of the recipe that has fewest.
        min_seeds: Seeds per recipe that the claim needs.
    """

    id: str
    statement: str
    cost: Cost
    levels: dict[str, int]
    recipes: int
    fewest_seeds: int
    min_seeds: int


@dataclass(frozen=True)
class SweepPlan:
    """All hypotheses, the whole sweep (each run once), and the speed behind the predictions."""

    hypotheses: list[PlannedHypothesis]
    total: Cost
    rates: Rates


def plan_sweep(config: StudyConfig, results: Path) -> SweepPlan:
    """Plan the runs of every hypothesis of a study from its configuration and what it has measured so far."""
    rates = measured_rates(config, results)
    done = finished_runs(config, results)
    planned = []
    for name, hypothesis in config.hypotheses.items():
        runs = runs_of_hypothesis(config, hypothesis)
        found = {factor: contrasts(config, factor, runs) for factor in factors_of(hypothesis.factor)}
        if found:
            named = {run for some in found.values() for contrast in some for run in contrast.runs}
            runs = [run for run in runs if run in named]
        compared = recipes(config, runs)
        planned.append(
            PlannedHypothesis(
                id=name,
                statement=hypothesis.statement or "",
                cost=cost_of(config, runs, done, rates),
                levels={factor: max((len(c.levels) for c in some), default=0) for factor, some in found.items()},
                recipes=len(compared),
                fewest_seeds=min((len(recipe.runs) for recipe in compared), default=0),
                min_seeds=hypothesis.min_seeds,
            )
        )
    return SweepPlan(planned, cost_of(config, list(config.trained), done, rates), rates)


def cost_of(config: StudyConfig, runs: list[str], done: set[str], rates: Rates) -> Cost:
    """Cost of the runs that are not in `done`."""
    trained = config.trained
    missing = [run for run in runs if run not in done]
    seconds = [_predicted(config, trained[run], rates) for run in missing]
    known = [value for value in seconds if value is not None]
    return Cost(
        runs=runs,
        missing=missing,
        steps=sum(trained[run].max_steps for run in missing),
        seconds=sum(known) if len(known) == len(seconds) else None,
    )


def measured_rates(config: StudyConfig, results: Path) -> Rates:
    """Speed of finished trainings and transcriptions of this study."""
    decodings = [r for r in _records(results, "transcripts/*/transcribe.run.json") if r.utterances_decoded]
    decoded = sum(record.utterances_decoded or 0 for record in decodings)
    per_utterance = sum(record.seconds for record in decodings) / decoded if decoded else None
    trainings = [e for e in _experiments(results) if e.status == "finished" and e.execution.optimizer_steps]
    rows = sum(_rows_per_step(e.settings, e.processes) * (e.execution.optimizer_steps or 0) for e in trainings)
    seconds = sum(_training_seconds(e.execution, per_utterance) for e in trainings)
    counts = [read_result(results, layout.MANIFEST_FACTS, manifest=name).readable() for name in config.evaluations]
    sizes = [facts.rows for facts in counts if facts is not None]
    hosts = [record.host for record in [*(e.execution for e in trainings), *decodings]]
    return Rates(
        seconds_per_row=seconds / rows if rows else None,
        seconds_per_utterance=per_utterance,
        utterances=sizes if len(sizes) == len(config.evaluations) else None,
        hosts=list(dict.fromkeys(hosts)),
    )


def finished_runs(config: StudyConfig, results: Path) -> set[str]:
    """Runs that were trained with their present settings and compared with the baseline on every manifest."""
    experiments = {e.run: e for e in _experiments(results) if e.status == "finished"}
    finished = set()
    for run, settings in config.trained.items():
        paired = [results / layout.PAIRED.path(run=run, manifest=name) for name in config.evaluations]
        trained = run in experiments and _same_settings(experiments[run].settings, settings.to_json())
        if trained and all(path.is_file() for path in paired):
            finished.add(run)
    return finished


def describe_sweep(plan: SweepPlan, power: Mapping[str, list[str]]) -> list[str]:
    """The plan in lines of text: the whole sweep, then each hypothesis.

    Args:
        plan: Runs and costs.
        power: Whether the evaluation sets can decide it, in sentences, by hypothesis.
    """
    measured = f", measured on {listed(plan.rates.hosts)}" if plan.rates.hosts else ""
    lines = [f"Sweep: {_cost_text(plan.total)} one after the other{measured}"]
    for hypothesis in plan.hypotheses:
        varied = {factor: levels for factor, levels in hypothesis.levels.items() if levels}
        if hypothesis.levels and not varied:
            lines.append(f"  {hypothesis.id}: not run: no two runs differ in {' or '.join(hypothesis.levels)} alone")
            continue
        if not hypothesis.cost.runs:
            lines.append(f"  {hypothesis.id}: not run: no run is trained")
            continue
        factors = [f"{levels} values of {factor}" for factor, levels in varied.items()]
        compared = [*factors, f"{count(hypothesis.recipes, 'recipe')} of {count(hypothesis.fewest_seeds, 'seed')}"]
        if hypothesis.fewest_seeds < hypothesis.min_seeds:
            compared.append(f"too few: a claim needs {count(hypothesis.min_seeds, 'seed')}")
        lines.append(f"  {hypothesis.id}: {_cost_text(hypothesis.cost)} ({'; '.join(compared)})")
        lines += [f"    {line}" for line in power.get(hypothesis.id, [])]
    return lines


def _cost_text(cost: Cost) -> str:
    if not cost.missing:
        return f"all {count(len(cost.runs), 'run')} done"
    time = "unknown time" if cost.seconds is None else f"about {duration(cost.seconds)}"
    steps = count(cost.steps, "optimiser step")
    return f"{len(cost.missing)} of {count(len(cost.runs), 'run')} to do, at most {steps}, {time}"


def _predicted(config: StudyConfig, settings: TrainConfig, rates: Rates) -> float | None:
    if rates.seconds_per_row is None or rates.seconds_per_utterance is None or rates.utterances is None:
        return None
    processes = 1 if config.model is None else config.model.processes
    rows = settings.max_steps * _rows_per_step(settings.to_json(), processes)
    # At every validation, and once more with the saved adapter alone.
    evaluations = math.ceil(settings.max_steps / settings.eval_steps) + 1
    in_run = evaluations * sum(min(size, settings.eval_rows) for size in rates.utterances)
    return rows * rates.seconds_per_row + (sum(rates.utterances) + in_run) * rates.seconds_per_utterance


def _training_seconds(execution: RunRecord, per_utterance: float | None) -> float:
    """Seconds of a training without what it transcribed meanwhile, as far as that is known."""
    return max(0.0, execution.seconds - (execution.utterances_decoded or 0) * (per_utterance or 0.0))


def _rows_per_step(settings: Mapping[str, Any], processes: int) -> int:
    return int(settings["batch_size"]) * int(settings["gradient_accumulation"]) * processes


def _same_settings(recorded: dict[str, Any], configured: dict[str, Any]) -> bool:
    """Whether a training had the configured settings, as far as it records them; commas on a command line are lists."""
    return all(key in configured and _value(value) == _value(configured[key]) for key, value in recorded.items())


def _value(value: Any) -> str:
    return identity({"value": value.split(",") if isinstance(value, str) and "," in value else value})


def _experiments(results: Path) -> Iterator[Experiment]:
    for path in sorted(results.glob(EXPERIMENT.format(run="*"))):
        try:
            yield Experiment.read(path)
        except UserError:
            continue  # of another version of this software: nothing is known of its speed


def _records(results: Path, pattern: str) -> Iterator[RunRecord]:
    for path in sorted(results.glob(pattern)):
        try:
            yield RunRecord.read(path)
        except UserError:
            continue
