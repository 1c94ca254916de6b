"""The bench of planted faults: every case through the real workflow, and what its verdict said.

Example:
    make faults                        # all of it, with the page docs/faults.md
    make faults ARGS='--only parity'   # cases whose wing, kind, code or name holds a word

One healthy study is computed once. A case copies it with all its computed and cached state, plants its fault in data,
configuration, adapters, transcripts, or model and processor folders, and runs the workflow, which recomputes what the
fault made stale. Whole studies are computed from nothing. Checks and rules are those of everybody.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import plant_adapter  # noqa: F401
import plant_data  # noqa: F401
import plant_headroom  # noqa: F401
import plant_labels  # noqa: F401
import plant_parity  # noqa: F401
import plant_training  # noqa: F401
import whole_studies  # noqa: F401
from cases import CASES, Case
from healthy_study import SIZE, healthy_study
from small_study import Study

Cells = tuple[str, ...]
NONE = "none"
HEADERS = ("case", "kind", "expected first", "found first", "wrongly raised", "seconds")
ORDER = ("data", "headroom", "labels", "training", "adapter", "parity", "whole")


@dataclass(frozen=True)
class Found:
    """What the verdict of a case said: the first cause that is more than information, and what should not stand."""

    case: Case
    first: str
    wrong: tuple[str, ...]
    seconds: float

    @property
    def right(self) -> bool:
        return self.first == self.case.first and not self.wrong

    def cells(self) -> Cells:
        return (
            self.case.name,
            self.case.kind,
            self.case.first or NONE,
            self.first or NONE,
            ", ".join(self.wrong) or NONE,
            f"{self.seconds:.0f}",
        )


def run_case(case: Case, healthy: Study, folder: Path) -> Found:
    """Plant and run in `folder`, which is removed where the verdict was right."""
    started = time.monotonic()
    study = healthy_study(folder) if case.fresh else healthy.copy(folder)
    study = case.plant(study) or study
    done = study.snakemake(cores=1)
    seconds = time.monotonic() - started
    if done.returncode != 0:
        (folder / "output.txt").write_text(done.stdout + done.stderr)
        return Found(case, "the workflow failed", (), seconds)
    found = judged(case, study, seconds)
    if found.right:
        shutil.rmtree(folder)
    return found


def judged(case: Case, study: Study, seconds: float) -> Found:
    causes = [c for c in study.verdict()["causes"] if c["severity"] != "info"]
    blocks = [c["code"] for c in causes if c["severity"] == "blocks"]
    wrong = {code for code in blocks if code not in (case.first, *case.also)}
    wrong |= {c["code"] for c in causes if c["code"] == case.guards}
    # A neighbour may warn of what it truly has; that it is ready is what counts.
    first = causes[0]["code"] if causes and (case.first or blocks) else ""
    if not case.first and study.verdict()["ready_for_sweep"] is not True:
        wrong.add("not ready")
    return Found(case, first, tuple(sorted(wrong)), seconds)


def run_bench(cases: Iterable[Case], jobs: int, told: Callable[[Found], None], work: Path) -> list[Found]:
    """All cases, `jobs` at a time; results stand in the order of the cases."""
    healthy = healthy_study(work / "the healthy study")
    healthy.run(cores=2)
    assert not [c for c in healthy.verdict()["causes"] if c["severity"] != "info"], healthy.verdict()["causes"]
    with ThreadPoolExecutor(max_workers=jobs) as pool:

        def task(numbered: tuple[int, Case]) -> Found:
            number, case = numbered
            found = run_case(case, healthy, work / f"case {number:03}")
            told(found)
            return found

        return list(pool.map(task, enumerate(cases)))


def page(rows: list[Cells]) -> str:
    """The table, with its size and its command."""
    return "\n".join(
        (
            "# Planted faults",
            "",
            "Every fault is planted in a study of its own, which runs through the real workflow; *expected first* is",
            "the cause that has to stand first in its verdict. A *neighbour* looks like a fault and is none: nothing",
            "may block it, and the cause it was made for may not be raised. A *whole study* is another healthy one,",
            f"computed from nothing. The study: {SIZE}, all rules and all checks.",
            "",
            "    make faults",
            "    make faults ARGS='--only training --page docs/faults.md'    # some cases again; other rows stay",
            "",
            "| " + " | ".join(HEADERS) + " |",
            "|" + "---|" * len(HEADERS),
            *("| " + " | ".join(row) + " |" for row in rows),
            "",
            score(rows),
            "",
        )
    )


def with_former(path: Path, rows: list[Cells]) -> list[Cells]:
    """Rows of a whole page: these, and of other cases that still exist those that the page holds."""
    known = {row[0]: row for row in rows}
    if path.exists():
        lines = (line.strip("| ").split(" | ") for line in path.read_text(encoding="utf-8").splitlines())
        former = {cells[0]: tuple(cells) for cells in lines if len(cells) == len(HEADERS)}
        known = former | known
    return [known[case.name] for case in sorted(CASES, key=by_wing) if case.name in known]


def score(rows: list[Cells]) -> str:
    """`61 of 61 faults named first, 52 of 52 healthy studies without a wrong block.`"""
    right = {row: row[2] == row[3] and row[4] == NONE for row in rows}
    faults, healthy = ([row for row in rows if (row[2] == NONE) is is_healthy] for is_healthy in (False, True))
    return (
        f"{sum(right[row] for row in faults)} of {len(faults)} faults named first, "
        f"{sum(right[row] for row in healthy)} of {len(healthy)} healthy studies without a wrong block."
    )


def by_wing(case: Case) -> int:
    return ORDER.index(case.wing)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="cases whose wing, code or name holds it")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="cases at a time; default: %(default)s")
    parser.add_argument(
        "--page", type=Path, metavar="MD", help="write the table here; rows of cases that are not run stay"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the studies of wrong verdicts here")
    args = parser.parse_args()
    cases = [c for c in CASES if args.only in f"{c.wing} {c.kind} {c.first} {c.guards} {c.name}"]
    cases.sort(key=by_wing)
    print(" | ".join(HEADERS), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = args.keep or Path(temporary)
        results = run_bench(cases, args.jobs, lambda found: print(" | ".join(found.cells()), flush=True), work)
    rows = [found.cells() for found in results]
    if args.page:
        args.page.write_text(page(with_former(args.page, rows)), encoding="utf-8")
    print(score(rows))
    return 0 if all(found.right for found in results) else 1


if __name__ == "__main__":
    sys.exit(main())
