"""The whole embedded study from nothing, against its model commands alone, and a run with nothing to do.

The model commands are those that the workflow ran (they stand in its run records), one process after the other, without
Snakemake and without what is no model work: tables, statistics, judgements, plots, documents.
"""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path

from measuring import REPOSITORY, Cost, Figure, Goal, Plan, Result, cost_of, line_of_seconds

sys.path.insert(0, str(REPOSITORY / "tests"))
from small_study import Study, make_study

TITLE = "Whole study"
MINUTES = 6
PAIRS = {False: 1, True: 1}
IDLE_PAIRS = {False: 5, True: 1}
MODEL = ("transcribe_run", "audit_labels", "harden_manifest", "train_adapter", "measure_effect")
RUNNER = "lora.runners.experiment"
BARE = """
rule all:
    input:
        expand("out/{{n}}.txt", n=range({jobs})),


rule one:
    output:
        "out/{{n}}.txt",
    log:
        "logs/{{n}}.log",
    params:
        number=1,
    shell:
        "echo {{params.number}} >{{output:q}} 2>{{log:q}}"
"""


def run(plan: Plan) -> Result:
    pairs = PAIRS[plan.quick]
    study = tiny_study(plan.folder / "study") if plan.quick else embedded_study(plan.folder / "study")
    result = Result(config={"study": "tiny" if plan.quick else "embedded", "cores": 1, "pairs": pairs})

    def fresh() -> float:
        for computed in ("results", "work", ".snakemake", "docs", "notes.md"):
            path = study.folder / computed
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return workflow(study).seconds

    result.lines.append(
        line_of_seconds(
            "whole study from nothing, one core",
            fresh,
            "its model commands alone, one after the other",
            lambda: model_commands(study, plan.folder / "alone"),
            Goal(1.5, "at_most"),
            pairs,
        )
    )
    jobs = len(list((study.folder / "work" / "benchmarks").rglob("*.tsv"))) + 1
    bare = bare_workflow(plan.folder / "bare", jobs)
    result.lines.append(
        line_of_seconds(
            f"nothing to do, {jobs} jobs known",
            lambda: workflow(study).seconds,
            "a trivial Snakefile of as many jobs, nothing to do",
            lambda: cost_of(snakemake(), bare).seconds,
            Goal(1.3, "at_most"),
            IDLE_PAIRS[plan.quick],
        )
    )
    result.figures = [*where_time_goes(study), *idle_processor_time(study, bare)]
    return result


def embedded_study(folder: Path) -> Study:
    """The study of the repository: its configuration, and links to its data."""
    folder.mkdir()
    (folder / "data").symlink_to(REPOSITORY / "data")
    shutil.copy(REPOSITORY / "config.yaml", folder / "config.yaml")
    return Study(folder)


def tiny_study(folder: Path) -> Study:
    train = {"max_steps": 1, "eval_steps": 1, "batch_size": 4, "warmup_steps": 0}
    changes = {"labels": {"sample": 2}, "adapter": {"sample": 2}, "candidates": {"lora": {"train": train}}}
    rows = {"train": 24, "heldout": 2, "domain": 4, "test": 2}
    return make_study(folder, {**changes, "headroom": {"harden": False}}, rows)


def snakemake() -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "1"]


def workflow(study: Study) -> Cost:
    return cost_of([*snakemake(), "-s", str(REPOSITORY / "Snakefile")], study.folder)


def model_commands(study: Study, folder: Path) -> float:
    """Seconds of the study's model commands in a copy of it that has no caches of theirs."""
    shutil.rmtree(folder, ignore_errors=True)
    copy = study.copy(folder)
    shutil.rmtree(copy.folder / "work")
    records = [json.loads(path.read_text()) for path in study.results.rglob("*.run.json")]
    commands = [
        (record["started"], shlex.split(record["command"])) for record in records if RUNNER in record["command"]
    ]
    return sum(cost_of([sys.executable, *command[1:]], copy.folder).seconds for _, command in sorted(commands))


def bare_workflow(folder: Path, jobs: int) -> Path:
    """A finished workflow of as many jobs, each with one output, a log and a parameter."""
    folder.mkdir()
    (folder / "Snakefile").write_text(BARE.format(jobs=jobs))
    (folder / "logs").mkdir()
    (folder / "out").mkdir()
    cost_of([sys.executable, "-m", "snakemake", "--cores", "2"], folder)
    return folder


def idle_processor_time(study: Study, bare: Path) -> list[Figure]:
    """Seconds of processor time of runs with nothing to do."""
    costs = {"ours": workflow(study), "the trivial Snakefile": cost_of(snakemake(), bare)}
    return [
        Figure(f"nothing to do, processor time: {name}", f"{cost.processor_seconds:.2f} s")
        for name, cost in costs.items()
    ]


def where_time_goes(study: Study) -> list[Figure]:
    """Wall clock seconds of the jobs by rule, as Snakemake's own benchmarks have them."""
    seconds: Counter[str] = Counter()
    jobs: Counter[str] = Counter()
    for path in (study.folder / "work" / "benchmarks").rglob("*.tsv"):
        rule = path.relative_to(study.folder / "work" / "benchmarks").parts[0].removesuffix(".tsv")
        with path.open() as file:
            seconds[rule] += float(next(csv.DictReader(file, delimiter="\t"))["s"])
        jobs[rule] += 1
    model = sum(seconds[rule] for rule in MODEL)
    figures = [Figure("model jobs of the whole study", f"{model:.1f} s in {sum(jobs[rule] for rule in MODEL)} jobs")]
    others = [rule for rule, _ in seconds.most_common() if rule not in MODEL]
    spent, count = sum(seconds[rule] for rule in others), sum(jobs[rule] for rule in others)
    figures.append(Figure("all other jobs", f"{spent:.1f} s in {count} jobs"))
    most = ", ".join(f"{rule} {seconds[rule]:.1f} s in {jobs[rule]}" for rule in others[:6])
    return [*figures, Figure("of these the most", most)]
