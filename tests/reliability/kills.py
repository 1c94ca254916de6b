"""Kill a running study with SIGKILL at random moments, rerun it, and compare every result with an undisturbed run's.

Four things are killed, one at random each time: the process of Snakemake alone, one of its jobs, its process group,
and every process that it started. Each time a plain rerun must go on.

Example:
    python tests/reliability/kills.py --kills 40 --seed 1 --page docs/reliability.md
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from small_study import Study, make_study
from tabulate import tabulate

from lora.report.documents import replace_block

BLOCK = "generated: kills"
MEAN_SECONDS = 4.0  # between the start of Snakemake and the kill; a no-op takes about one and a half
SHORT = {"max_steps": 4, "eval_steps": 2, "batch_size": 4, "warmup_steps": 0}
SWEEP = {"sweep": {"rate": {**SHORT, "eval_rows": 2, "grid": {"learning_rate": [1e-3, 2e-3], "seed": [1, 2]}}}}
OVERRIDE = ("sweep", "--config", "sweep_anyway=True", "sweep_reason=the study is too small")
STUDIES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "diagnosis": ({}, ()),
    "sweep": (SWEEP, OVERRIDE),
}


def processes_of(root: int) -> list[int]:
    """The process and all its descendants, parents first."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found = [root]
    for process in found:
        found += children.get(process, [])
    return found


def _main_process(root: int, _: random.Random) -> list[int]:
    return [root]


def _one_job(root: int, choice: random.Random) -> list[int]:
    jobs = processes_of(root)[1:]
    return [choice.choice(jobs)] if jobs else [root]


def _every_process(root: int, _: random.Random) -> list[int]:
    return processes_of(root)


TARGETS: dict[str, Callable[[int, random.Random], list[int]]] = {
    "Snakemake alone": _main_process,
    "one job": _one_job,
    "the process group": lambda root, _: [-root],
    "every process": _every_process,
}


@dataclass
class Killed:
    """What was killed, how often, and what a rerun did."""

    kills: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def add(self, other: Killed) -> None:
        self.kills.update(other.kills)
        self.differences += other.differences
        self.refused += other.refused


def kill_until_finished(study: Study, arguments: tuple[str, ...], kills: int, choice: random.Random) -> Killed:
    """Start the study and kill it `kills` times, or fewer if it ends before; then let it end.

    Args:
        study: A study that was not run yet.
        arguments: Of Snakemake.
        kills: Most kills.
        choice: Source of moments and targets.
    """
    done = Killed()
    for _ in range(kills):
        process = subprocess.Popen(
            study.command(*arguments),
            cwd=study.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(choice.expovariate(1 / MEAN_SECONDS))
            break
        except subprocess.TimeoutExpired:
            pass
        name = choice.choice(list(TARGETS))
        for target in TARGETS[name](process.pid, choice):
            _kill(target)
        done.kills[name] += 1
        process.wait()  # after the kill of a job, Snakemake ends by itself
        _wait_for_orphans(study)
    ended = study.snakemake(*arguments)
    if ended.returncode != 0:
        done.refused.append(ended.stderr[-2000:])
    return done


def _kill(target: int) -> None:
    try:
        if target < 0:
            os.killpg(-target, signal.SIGKILL)
        else:
            os.kill(target, signal.SIGKILL)
    except ProcessLookupError:
        pass  # it ended meanwhile


def _wait_for_orphans(study: Study) -> None:
    """Wait for jobs that outlived Snakemake, as a person would who reads that another run uses the study."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and any(_works_in(path, study.folder) for path in Path("/proc").glob("[0-9]*")):
        time.sleep(0.2)


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


def differences(one: Study, other: Study) -> list[str]:
    """Results that one study has and the other has not, or has with other bytes."""
    first, second = one.digests(), other.digests()
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def measure(kills: int, seed: int, folder: Path, per_study: int = 25) -> dict[str, tuple[int, Killed]]:
    """Kill studies of each kind until each kind has had its share of the kills; results by kind with their studies."""
    choice = random.Random(seed)
    found: dict[str, tuple[int, Killed]] = {}
    for kind, (changes, arguments) in STUDIES.items():
        whole = make_study(folder / f"{kind} undisturbed", changes)
        whole.run(*arguments)
        total, studies = Killed(), 0
        while total.kills.total() < kills // len(STUDIES):
            study = make_study(folder / f"{kind} killed {studies}", changes)
            done = kill_until_finished(study, arguments, per_study, choice)
            done.differences += [f"{study.folder.name}: {name}" for name in differences(whole, study)]
            total.add(done)
            studies += 1
            print(f"{kind}: {total.kills.total()} kills, {len(total.differences)} differences", file=sys.stderr)
        found[kind] = studies, total
    return found


def table_of(found: dict[str, tuple[int, Killed]], command: str) -> str:
    """The figures as Markdown."""
    header = ["study", "studies", *TARGETS, "kills", "reruns that did not finish", "results that differ"]
    rows = [
        [
            kind,
            studies,
            *(done.kills[name] for name in TARGETS),
            done.kills.total(),
            len(done.refused),
            len(done.differences),
        ]
        for kind, (studies, done) in found.items()
    ]
    return f"`{command}`:\n\n{tabulate(rows, header, tablefmt='github')}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100, help="number of kills, shared by the kinds of study")
    parser.add_argument("--seed", type=int, default=1, help="of moments and targets")
    parser.add_argument("--page", type=Path, help="document whose block gets the figures")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kills ") as folder:
        found = measure(args.kills, args.seed, Path(folder))
    text = table_of(found, f"make kills ARGS='--kills {args.kills} --seed {args.seed}'")
    print(text)
    if args.page is not None:
        document = args.page.read_text(encoding="utf-8")
        args.page.write_text(replace_block(document, BLOCK, text, args.page), encoding="utf-8")
    failed = [line for _, done in found.values() for line in [*done.refused, *done.differences]]
    print("\n".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
