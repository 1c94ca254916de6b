"""A whole study of a million training rows without a model: plan, dry run, and every stage that needs no torch.

The measures of the audio, 2,360 hours of which nobody keeps for a benchmark, are there from the start.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import yaml
from measuring import REPOSITORY, Cost, Figure, Plan, Result, cost_of, script
from scale_inputs import write_evaluation, write_training

TITLE = "A study of a million rows"
MINUTES = 5
ROWS = {False: 1_000_000, True: 1_000}
EVALUATED = {False: 100_000, True: 100}
SPEAKERS = {False: 10_000, True: 20}
LARGEST = 6  # jobs that are named


def run(plan: Plan) -> Result:
    rows, evaluated, speakers = ROWS[plan.quick], EVALUATED[plan.quick], SPEAKERS[plan.quick]
    result = Result(config={"rows": rows, "evaluated": evaluated, "speakers": speakers})
    study = write_study(plan.folder / "study", rows, evaluated, speakers)
    result.figures = [
        figure("dry run before anything is computed", snakemake(study, "--dry-run")),
        figure("plan, which computes the duration stages", cost_of(script("plan", "--cores", "1"), study)),
        figure("the other stages", snakemake(study)),
        figure("run with nothing to do", snakemake(study)),
        Figure("jobs with the largest peaks", largest_jobs(study / "work" / "benchmarks")),
    ]
    result.remarks.append(
        "Processor time of Snakemake and its jobs, with one core; the peak is that of the largest process. Transcripts "
        "are imported. The rules ask for 1.5 GB and 10 MB per MB of inputs."
    )
    return result


def write_study(folder: Path, rows: int, evaluated: int, speakers: int) -> Path:
    """A study whose training rows and measures are made up, with the transcripts of two systems."""
    train, train_measures = write_training(folder, rows)
    domain, base, tuned, _, domain_measures = write_evaluation(folder, evaluated, speakers)
    config = {
        "model": None,
        "manifests": {"train": train.name, "domain": domain.name},
        "roles": {"domain": ["domain"]},
        "base": {"hypotheses": {"domain": base.name}},
        "candidates": {"tuned": {"hypotheses": {"domain": tuned.name}}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "results" / "integrity").mkdir(parents=True)
    train_measures.rename(folder / "results" / "integrity" / "train.tsv")
    domain_measures.rename(folder / "results" / "integrity" / "domain.tsv")
    return folder


def snakemake(study: Path, *arguments: str) -> Cost:
    snakefile = str(REPOSITORY / "Snakefile")
    return cost_of([sys.executable, "-m", "snakemake", "-s", snakefile, "--cores", "1", *arguments], study)


def figure(name: str, cost: Cost) -> Figure:
    return Figure(name, f"{cost.processor_seconds:.1f} s, peak {cost.peak_mb:.0f} MB")


def largest_jobs(benchmarks: Path) -> str:
    """`decide_verdict 981 MB in 13.4 s`, for the jobs with the largest peaks."""
    peaks = []
    for path in benchmarks.rglob("*.tsv"):
        with path.open() as file:
            job = next(csv.DictReader(file, delimiter="\t"))
        name = path.relative_to(benchmarks).with_suffix("").as_posix()
        peaks.append(
            (float(job["max_rss"]), f"`{name}` {float(job['max_rss']):.0f} MB in {float(job['cpu_time']):.1f} s")
        )
    return ", ".join(text for _, text in sorted(peaks, reverse=True)[:LARGEST])
