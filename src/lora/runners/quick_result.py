"""What quick mode found, for programs: one JSON object, and an exit code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lora.formatting import seconds
from lora.layout import BASE
from lora.provenance.command_parser import described_version
from lora.records.verdict import Verdict
from lora.report.brief import headline_of
from lora.report.study import Study

FAILING = {"block": {"blocks"}, "warn": {"blocks", "warns"}}


def exit_code(study: Study, fail_on: str | None) -> int:
    """1 if the verdict has a cause of a severity that `fail_on` (`block`, `warn`) names, else 0."""
    severities = FAILING.get(fail_on or "", set())
    return int(any(cause.severity in severities for cause in verdict_of(study).causes))


def machine_readable(study: Study, notes: Sequence[str], files: Sequence[Path], code: int) -> dict[str, Any]:
    """The JSON object of `--json` (docs/candidates.md)."""
    verdict = verdict_of(study)
    return {
        "software": described_version(),
        "headline": headline_of(verdict),
        "comparisons": [
            {**outcome.to_json(), **_rows(study, outcome.run, outcome.manifest)} for outcome in verdict.runs
        ],
        "notes": list(notes),
        "files": [str(path) for path in files],
        "exit_code": code,
        "verdict": verdict.to_json(),
    }


def counted_rows_notes(study: Study, has_training: bool, max_seconds: float | None) -> list[str]:
    """What `--train` and `--max-seconds` change about the rows that an error rate counts."""
    if not has_training:
        return [] if max_seconds is None else ["--max-seconds has no effect without --train: all rows count"]
    notes = []
    for name in study.evaluations:
        facts = study.wer(BASE, name).value
        if facts is None or facts.within is None or facts.all is None or facts.max_seconds is None:
            continue
        counted, total = facts.within.utterances, facts.all.utterances
        if counted < total:
            limit = seconds(facts.max_seconds)
            why = "--train: max_seconds, chosen for it, is" if max_seconds is None else "--max-seconds is"
            notes.append(
                f"{why} {limit}, so {counted:,} of {total:,} rows of {name} count; without --train all of them do"
            )
    return notes


def _rows(study: Study, run: str, manifest: str) -> dict[str, int | None]:
    """How many rows a comparison counts, and how many both runs have."""
    facts = study.paired(run, manifest).value
    within, every = (facts.within, facts.all) if facts is not None else (None, None)
    return {"rows": within.utterances if within else None, "all_rows": every.utterances if every else None}


def verdict_of(study: Study) -> Verdict:
    """The verdict that quick mode wrote."""
    verdict = study.verdict.value
    if verdict is None:
        raise RuntimeError(f"quick mode wrote no verdict: {study.verdict.plain_reason}")
    return verdict
