"""Run the field cases and compare what is found with what must be.

Example:
    make field                          # all cases; writes docs/field.md
    make field ARGS='--only markup'     # cases whose area, name or source contains a word

Inputs are written into a folder of their own per case and run by the command that a person would type: quick mode,
`lora-diagnose convert` or the workflow.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from field_cases import CASES, FieldCase
from preloaded_python import preloaded_python
from small_study import REPOSITORY, Study

AREAS = ("text", "hypotheses", "training", "manifests", "transcripts", "data", "real model")
REPORT = "results/report/index.html"  # plots and pages show nothing that is not in it or in the verdict
Cells = tuple[str, ...]
YES = "yes"
HEADERS = ("situation", "source", "expected", "found", "right")

for module in sorted(Path(__file__).parent.glob("situations_*.py")):
    importlib.import_module(module.stem)


@dataclass(frozen=True)
class Found:
    """What a command reported: everything that a person can read or that verdict and converted manifest contain."""

    code: int
    printed: str
    verdict: dict[str, Any] | None = None
    rows: tuple[dict[str, Any], ...] = ()

    @property
    def causes(self) -> list[dict[str, Any]]:
        return [c for c in (self.verdict or {}).get("causes", []) if c["severity"] != "info"]

    @property
    def run(self) -> dict[str, Any]:
        """The tuned run on the evaluation manifest."""
        verdict = self.verdict or {}
        runs = [run for run in verdict.get("runs", []) if run["manifest"] == verdict["eval_manifest"]]
        return runs[0] if runs else (verdict.get("runs") or [{}])[0]

    @property
    def text(self) -> str:
        return self.printed + json.dumps(self.verdict, ensure_ascii=False)

    def __str__(self) -> str:
        if self.verdict is None and not self.rows:
            lines = self.printed.strip().splitlines()
            return lines[-1] if lines else "nothing"
        parts = [f"{len(self.rows)} rows read"] if self.rows else []
        parts += [c["code"] for c in self.causes] if self.verdict else []
        if self.verdict and not self.causes:
            parts.append("no cause")
        run = self.run
        if run.get("outcome"):
            parts.append(run["outcome"])
        if run.get("baseline_wer") is not None and run.get("tuned_wer") is not None:
            parts.append(f"{100 * run['baseline_wer']:.1f} to {100 * run['tuned_wer']:.1f} %")
        return ", ".join(parts)


@dataclass(frozen=True)
class FieldResult:
    case: FieldCase
    found: Found
    problems: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not self.problems

    def cells(self) -> tuple[str, ...]:
        right = YES if self.right else "no"
        return title(self.case), *map(cell, (self.case.source, str(self.case.expected), str(self.found), right))


def title(case: FieldCase) -> str:
    """First cell of a case's row."""
    return cell(f"{case.name}: {case.situation}")


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def run_case(case: FieldCase, folder: Path) -> FieldResult:
    """Write the inputs of a case into `folder` and run its command there."""
    folder.mkdir(parents=True)
    built = case.build(folder)
    found = _run_study(built) if isinstance(built, Study) else _run_command(case, folder, built)
    return FieldResult(case, found, tuple(problems(case, found)))


def _run_study(study: Study) -> Found:
    done = study.snakemake(REPORT, cores=1)
    verdict = study.verdict() if (study.results / "verdict.json").is_file() else None
    return Found(done.returncode, done.stdout + done.stderr, verdict)


def _run_command(case: FieldCase, folder: Path, arguments: list[str]) -> Found:
    if case.command == "quick":
        command = ["-m", "lora.runners.quick", *arguments, "--output-dir", "out"]
    else:
        command = ["-m", "lora.runners.convert", *arguments]
        if "--output" not in arguments:
            command += ["--output", "converted.jsonl"]
    environment = {"PYTHONPATH": str(REPOSITORY / "src"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [preloaded_python(), *command], cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    verdict, converted = folder / "out/verdict.json", folder / "converted.jsonl"
    return Found(
        done.returncode,
        done.stdout + done.stderr,
        json.loads(verdict.read_text(encoding="utf-8")) if verdict.is_file() else None,
        tuple(map(json.loads, converted.read_text(encoding="utf-8").splitlines())) if converted.is_file() else (),
    )


def problems(case: FieldCase, found: Found) -> Iterable[str]:
    """Yield what was found otherwise than expected."""
    expected = case.expected
    if "Traceback" in found.printed:
        yield "a traceback"
    if expected.refused != (found.code != 0):
        yield f"exit code {found.code}"
    codes = [c["code"] for c in found.causes]
    first = codes[0] if codes else ""
    if expected.first is not None and first != expected.first:
        yield f"first cause {first or 'none'}"
    if expected.reason is not None and (not codes or found.causes[0]["reason"] != expected.reason):
        yield f"reason {found.causes[0]['reason'] if codes else 'none'}"
    yield from (f"{code} is missing" for code in expected.causes if code not in codes)
    yield from (f"{code} is raised" for code in expected.absent if code in codes)
    if expected.outcome is not None and found.run.get("outcome") != expected.outcome:
        yield f"outcome {found.run.get('outcome')}"
    if expected.wer is not None:
        rates = (found.run.get("baseline_wer"), found.run.get("tuned_wer"))
        if any(rate is None or abs(rate - right) > 0.001 for rate, right in zip(rates, expected.wer, strict=True)):
            yield f"error rates {rates}"
    yield from (f"does not say {words!r}" for words in expected.says if words not in found.text)
    yield from (f"says {words!r}" for words in expected.silent_on if words in found.text)
    for number, row in enumerate(expected.rows):
        got = found.rows[number] if number < len(found.rows) else {}
        if any(got.get(key) != value for key, value in row.items()):
            yield f"row {number + 1} is {got}"
    if expected.ready is not None and (found.verdict or {}).get("ready_for_sweep") is not expected.ready:
        yield f"ready for the sweep: {(found.verdict or {}).get('ready_for_sweep')}"


def page(rows: list[Cells]) -> str:
    """docs/field.md: the table of results and the command."""
    return "\n".join(
        (
            "# Situations from the field",
            "",
            "Each row is a situation that somebody reported in public (or that a fault of that kind in the embedded",
            "study showed), rebuilt from small inputs and run by the command that a person would type. *Expected* is",
            "what must be found, *found* is what this version reports.",
            "",
            "```sh",
            "make field",
            "make field ARGS='--only markup --page docs/field.md'    # run some cases again; keep the other rows",
            "```",
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
    """These rows, completed by the rows of the page at `path` for other cases that still exist."""
    known = {row[0]: row for row in rows}
    if path.exists():
        lines = (line.removeprefix("| ").removesuffix(" |").split(" | ") for line in path.read_text().splitlines())
        known = {cells[0]: tuple(cells) for cells in lines if len(cells) == len(HEADERS)} | known
    return [known[title(case)] for case in sorted(CASES, key=by_area) if title(case) in known]


def score(rows: list[Cells]) -> str:
    return f"{sum(row[-1] == YES for row in rows)} of {len(rows)} situations as they must be."


def by_area(case: FieldCase) -> int:
    return AREAS.index(case.area)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", metavar="WORD", help="run cases whose area, name or source contains it")
    parser.add_argument(
        "--page", type=Path, metavar="MD", help="write the table here; rows of cases that are not run are kept"
    )
    args = parser.parse_args()
    cases = [case for case in CASES if args.only in f"{case.area} {case.name} {case.source}"]
    cases.sort(key=by_area)
    results = []
    with tempfile.TemporaryDirectory() as temporary:
        for number, case in enumerate(cases):
            results.append(run_case(case, Path(temporary) / f"case {number:03}"))
            print(" | ".join(results[-1].cells()), flush=True)
            for problem in results[-1].problems:
                print(f"    {problem}", flush=True)
    rows = [result.cells() for result in results]
    if args.page:
        args.page.write_text(page(with_former(args.page, rows)), encoding="utf-8")
    print(score(rows))
    return 0 if all(result.right for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
