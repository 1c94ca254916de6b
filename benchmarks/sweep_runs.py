"""Twelve short runs of a sweep on two cores, against their model commands in one process that uses both cores.

The model commands are those that the workflow ran (they stand in its run records). In one process they pay once for
imports, and nothing for tables, statistics, plots, decisions and Snakemake.
"""

from __future__ import annotations

import json
import shlex
import sys

from measuring import REPOSITORY, Goal, Line, Plan, Result, cost_of, line_of_seconds

sys.path.insert(0, str(REPOSITORY / "tests"))
from small_study import Study
from whole_study import RUNNER, embedded_study, tiny_study

TITLE = "A sweep"
MINUTES = 21
GRID = {"learning_rate": [3e-4, 1e-3], "seed": [1, 2, 3, 4, 5, 6]}
QUICK_GRID = {"learning_rate": [3e-4], "seed": [1, 2]}
STEPS = 25
CORES = 2
THREADS = (1, 2)
ONE_PROCESS = """
import json, sys
from lora.runners.experiment import main
with open(sys.argv[1]) as file:
    for arguments in json.load(file):
        assert main(arguments) == 0
"""


def run(plan: Plan) -> Result:
    grid = QUICK_GRID if plan.quick else GRID
    entry = {"max_steps": 1 if plan.quick else STEPS, "eval_rows": 8, "grid": grid}
    runs = len(grid["learning_rate"]) * len(grid["seed"])
    result = Result(config={"study": "tiny" if plan.quick else "embedded", "cores": CORES, "runs": runs} | entry)
    swept: dict[int, float] = {}
    alone = 0.0
    for threads in THREADS:
        folder = plan.folder / f"threads {threads}"
        study = tiny_study(folder) if plan.quick else embedded_study(folder)
        study.configure({"model": {"cpu_threads": threads}, "sweep": None})
        study.configure({"sweep": {"short": entry}})
        workflow(study)
        before = study.copy(plan.folder / f"before the sweep {threads}")
        swept[threads] = workflow(study, "sweep")
        alone = alone or one_process(study, before)
    names = {
        threads: f"{runs} runs of {entry['max_steps']} steps, `model.cpu_threads: {threads}`" for threads in THREADS
    }
    result.lines = [against_one_process(names[threads], swept[threads], alone) for threads in THREADS]
    result.remarks.append(
        "With two threads a model job takes both cores, so that nothing runs next to it, and each of the four model "
        "processes of a run imports its libraries alone. With one thread two runs go side by side."
    )
    return result


def against_one_process(name: str, ours: float, theirs: float) -> Line:
    against = "their model commands in one process, two threads"
    return line_of_seconds(name, lambda: ours, against, lambda: theirs, Goal(1.15, "at_most"), 1)


def workflow(study: Study, *targets: str) -> float:
    """Seconds of a run of the workflow. The sweep is overridden: a tiny study is not ready for it."""
    override = ["--config", "sweep_anyway=True", "sweep_reason=benchmark"] if targets else []
    command = [sys.executable, "-m", "snakemake", "-s", str(REPOSITORY / "Snakefile"), "--cores", str(CORES)]
    return cost_of([*command, *targets, *override], study.folder).seconds


def one_process(swept: Study, before: Study) -> float:
    """Seconds of the model commands of the sweep, one after the other, in the study as it was before."""
    done = {str(path.relative_to(before.folder)) for path in before.results.rglob("*.run.json")}
    records = [
        json.loads(path.read_text())
        for path in swept.results.rglob("*.run.json")
        if str(path.relative_to(swept.folder)) not in done
    ]
    commands = sorted(
        (record["started"], shlex.split(record["command"])) for record in records if RUNNER in record["command"]
    )
    arguments = before.folder / "commands.json"
    arguments.write_text(json.dumps([with_both_cores(command[3:]) for _, command in commands]))
    return cost_of([sys.executable, "-c", ONE_PROCESS, str(arguments)], before.folder).seconds


def with_both_cores(arguments: list[str]) -> list[str]:
    option = arguments.index("--cpu-threads")
    return [*arguments[: option + 1], str(CORES), *arguments[option + 2 :]]
