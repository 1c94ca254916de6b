"""What a benchmark measures: ratios in interleaved pairs, single figures, and the cost of a command."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
Timed = Callable[[], object]


@dataclass(frozen=True)
class Goal:
    """`at_least`: ours is so many times as fast. `at_most`: ours takes so many times as long. Null: shown, no goal."""

    bound: float | None
    kind: str = "at_least"

    def ratio(self, ours: float, theirs: float) -> float:
        return theirs / ours if self.kind == "at_least" else ours / theirs

    def reached(self, ratio: float) -> bool:
        if self.bound is None:
            return True
        return ratio >= self.bound if self.kind == "at_least" else ratio <= self.bound

    def text(self) -> str:
        what, sign = ("as fast", "at least") if self.kind == "at_least" else ("the time", "at most")
        return f"x {what}" if self.bound is None else f"{sign} {self.bound:g}x {what}"


@dataclass(frozen=True)
class Line:
    """One ratio: medians over pairs of seconds, and of the ratios of the pairs with the least and the largest."""

    name: str
    against: str
    goal: Goal
    ratio: float
    least: float
    largest: float
    ours_seconds: float
    theirs_seconds: float
    pairs: int

    @property
    def reached(self) -> bool:
        return self.goal.reached(self.ratio)


@dataclass(frozen=True)
class Figure:
    """Something measured that is no ratio: a count, a peak of memory, a share; `goal` says what it had to be."""

    name: str
    value: str
    goal: str = ""


@dataclass
class Result:
    """What one subject measured. `config` has sizes and settings, `remarks` what a reader must know."""

    config: dict[str, Any]
    lines: list[Line] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Plan:
    """How a subject is run: `quick` takes tiny sizes, `device` is where model work runs, `folder` is for its files."""

    folder: Path
    quick: bool = False
    device: str = "cpu"


def line(name: str, ours: Timed, against: str, theirs: Timed, goal: Goal, pairs: int) -> Line:
    """Run ours, theirs, ours, theirs, and so on, in this process."""
    return line_of_seconds(name, lambda: seconds_of(ours), against, lambda: seconds_of(theirs), goal, pairs)


def line_of_seconds(
    name: str, ours: Callable[[], float], against: str, theirs: Callable[[], float], goal: Goal, pairs: int
) -> Line:
    """As `line`, for runs that measure their own seconds."""
    measured = [(ours(), theirs()) for _ in range(pairs)]
    ratios = [goal.ratio(*pair) for pair in measured]
    return Line(
        name=name,
        against=against,
        goal=goal,
        ratio=statistics.median(ratios),
        least=min(ratios),
        largest=max(ratios),
        ours_seconds=statistics.median(pair[0] for pair in measured),
        theirs_seconds=statistics.median(pair[1] for pair in measured),
        pairs=pairs,
    )


def seconds_of(work: Timed) -> float:
    begun = time.perf_counter()
    made = work()
    seconds = time.perf_counter() - begun
    del made  # not part of the work
    return seconds


@dataclass(frozen=True)
class Cost:
    """Of a process: wall clock seconds, the largest resident set in MB, and seconds of processor time."""

    seconds: float
    peak_mb: float
    processor_seconds: float


# A small process between: the peak of a child counts from the memory of the process that it was forked from.
WATCH = """
import json, resource, subprocess, sys, time
begun = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
seconds = [time.perf_counter() - begun, used.ru_utime + used.ru_stime]
print(json.dumps([*seconds, used.ru_maxrss, done.returncode, done.stdout[-4000:]]))
"""


def cost_of(command: Sequence[str], folder: Path | None = None) -> Cost:
    """Run a command to its end; raises with what it said where it fails."""
    watching = [sys.executable, "-S", "-c", WATCH, *command]
    done = subprocess.run(watching, cwd=folder, capture_output=True, text=True, check=True, env=environment())
    seconds, processor_seconds, used, code, said = json.loads(done.stdout)
    if code != 0:
        raise RuntimeError(f"{' '.join(command)}\n{said}")
    return Cost(seconds, used / (1e6 if sys.platform == "darwin" else 1e3), processor_seconds)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}


def script(name: str, *arguments: object) -> list[str]:
    """The command of one of this project's scripts."""
    return [sys.executable, str(REPOSITORY / "scripts" / f"{name}.py"), *map(str, arguments)]
