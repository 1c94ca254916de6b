"""Run planted faults through the real workflow and compare each verdict with the expected one.

Example:
    make faults                        # all cases; writes docs/faults.md
    make faults ARGS='--only parity'   # cases whose area, kind, code or name contains a word

One healthy study is computed once. A case copies it with all computed and cached state, plants its fault in data,
configuration, adapters, transcripts, or model and processor folders, and runs the workflow, which recomputes what the
fault made stale. Whole studies are computed from scratch. Rules and checks are the same as in any study.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import plant_adapter  # noqa: F401
import plant_data  # noqa: F401
import plant_headroom  # noqa: F401
import plant_labels  # noqa: F401
import plant_parity  # noqa: F401
import plant_rows  # noqa: F401
import plant_training  # noqa: F401
import whole_studies  # noqa: F401
from cases import CASES, Case
from healthy_study import SIZE, healthy_study
from small_study import REPOSITORY, Study

Cells = tuple[str, ...]
NONE = "none"
HEADERS = ("case", "kind", "expected first", "found first", "wrongly raised", "seconds")
ORDER = ("data", "text", "headroom", "labels", "training", "adapter", "parity", "whole")


@dataclass(frozen=True)
class CaseResult:
    """The verdict of a case: its first cause above `info`, and the causes that should not be there (`wrong`)."""

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


def run_case(case: Case, healthy: Study, folder: Path) -> CaseResult:
    """Plant the fault and run the workflow in `folder`.

    Causes that the healthy study has as well do not count.
    """
    known = set() if case.fresh else cause_keys(healthy)
    started = time.monotonic()
    study = healthy_study(folder) if case.fresh else healthy.copy(folder)
    study = case.plant(study) or study
    done = study.snakemake(cores=1)
    seconds = time.monotonic() - started
    if done.returncode != 0:
        (folder / "output.txt").write_text(done.stdout + done.stderr)
        return CaseResult(case, "the workflow failed", (), seconds)
    return compare_verdict(case, study, seconds, known)


def cause_keys(study: Study) -> set[tuple[str, str, str]]:
    """Code, severity and manifest of each cause."""
    return {(c["code"], c["severity"], c["manifest"]) for c in study.verdict()["causes"]}


def compare_verdict(case: Case, study: Study, seconds: float, known: Set[tuple[str, str, str]]) -> CaseResult:
    causes = [
        c
        for c in study.verdict()["causes"]
        if c["severity"] != "info" and (c["code"], c["severity"], c["manifest"]) not in known
    ]
    blocks = [c["code"] for c in causes if c["severity"] == "blocks"]
    wrong = {code for code in blocks if code not in (case.first, *case.also)}
    wrong |= {c["code"] for c in causes if c["code"] == case.guards}
    # A neighbour may warn about what it really has; it only must be ready.
    first = causes[0]["code"] if causes and (case.first or blocks) else ""
    if not case.first and study.verdict()["ready_for_sweep"] is not True:
        wrong.add("not ready")
    return CaseResult(case, first, tuple(sorted(wrong)), seconds)


def run_bench(
    cases: Iterable[Case], healthy: Study, jobs: int, report: Callable[[CaseResult], None], work: Path
) -> list[CaseResult]:
    """Run all cases on copies of the healthy study, `jobs` at a time; results are in the order of the cases.

    Studies with the right verdict are removed.
    """
    with ThreadPoolExecutor(max_workers=jobs) as pool:

        def task(numbered: tuple[int, Case]) -> CaseResult:
            number, case = numbered
            folder = work / f"case {number:03}"
            result = run_case(case, healthy, folder)
            if result.right:
                shutil.rmtree(folder)
            report(result)
            return result

        return list(pool.map(task, enumerate(cases)))


def print_result(result: CaseResult) -> None:
    print(" | ".join(result.cells()), flush=True)


def page(rows: list[Cells]) -> str:
    """docs/faults.md: the table of results, the size of the study and the command."""
    return "\n".join(
        (
            "# Planted faults",
            "",
            "Every fault is planted in a study of its own, which runs through the real workflow; *expected first* is",
            "the cause that must come first in the verdict. A *neighbour* looks like a fault but is none: nothing may",
            "block it, and the cause it resembles must not be raised. A *whole study* is another healthy one, computed",
            f"from scratch. Size of the study: {SIZE}, all rules and all checks.",
            "",
            "```sh",
            "make faults",
            "make faults ARGS='--only training --page docs/faults.md'    # run some cases again; keep the other rows",
            "```",
            "",
            *table(rows),
            "",
            f"Situations from the field are in [field.md](field.md): {field_score()}",
            "",
            score(rows),
            "",
        )
    )


def table(rows: list[Cells]) -> list[str]:
    return [
        "| " + " | ".join(HEADERS) + " |",
        "|" + "---|" * len(HEADERS),
        *("| " + " | ".join(row) + " |" for row in rows),
    ]


def field_score() -> str:
    """The last line of docs/field.md, which `make field` writes."""
    return (REPOSITORY / "docs/field.md").read_text(encoding="utf-8").splitlines()[-1]


def with_former(path: Path, rows: list[Cells]) -> list[Cells]:
    """These rows, completed by the rows of the page at `path` for other cases that still exist."""
    known = {row[0]: row for row in rows}
    if path.exists():
        lines = (line.strip("| ").split(" | ") for line in path.read_text(encoding="utf-8").splitlines())
        former = {cells[0]: tuple(cells) for cells in lines if len(cells) == len(HEADERS)}
        known = former | known
    return [known[case.name] for case in sorted(CASES, key=by_area) if case.name in known]


def score(rows: list[Cells]) -> str:
    """`61 of 61 faults named first, 52 of 52 healthy studies without a wrong block.`"""
    right = {row: row[2] == row[3] and row[4] == NONE for row in rows}
    faults, healthy = ([row for row in rows if (row[2] == NONE) is is_healthy] for is_healthy in (False, True))
    return (
        f"{sum(right[row] for row in faults)} of {len(faults)} faults named first, "
        f"{sum(right[row] for row in healthy)} of {len(healthy)} healthy studies without a wrong block."
    )


def by_area(case: Case) -> int:
    return ORDER.index(case.area)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="run cases whose area, code or name contains it")
    parser.add_argument(
        "--jobs", type=int, default=2, metavar="N", help="cases that run at a time; default: %(default)s"
    )
    parser.add_argument(
        "--page", type=Path, metavar="MD", help="write the table here; rows of cases that are not run are kept"
    )
    parser.add_argument("--keep", type=Path, metavar="DIR", help="folder in which studies with wrong verdicts are kept")
    args = parser.parse_args()
    cases = [c for c in CASES if args.only in f"{c.area} {c.kind} {c.first} {c.guards} {c.name}"]
    cases.sort(key=by_area)
    print(" | ".join(HEADERS), flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = args.keep or Path(temporary)
        healthy = healthy_study(work / "the healthy study")
        healthy.run(cores=2)
        assert not [c for c in healthy.verdict()["causes"] if c["severity"] != "info"], healthy.verdict()["causes"]
        results = run_bench(cases, healthy, args.jobs, print_result, work)
    rows = [result.cells() for result in results]
    if args.page:
        args.page.write_text(page(with_former(args.page, rows)), encoding="utf-8")
    print(score(rows))
    return 0 if all(result.right for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
