"""Does each external hypothesis belong to the row it is assigned to?

Importing matches hypotheses to rows by ids, file names or times. Matched by position, or joined with the wrong table,
hypotheses belong to other rows, and every row is scored against a transcript of other audio. Rows for which two runs
agree on another row's text have a wrong transcript (`data.transcript_mismatch`); where one run alone does, its
hypotheses are mismatched. Transcripts of the runner itself cannot be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lora import layout
from lora.diagnosis.data.mismatched_rows import mismatch_details, mismatched_rows
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check, examples
from lora.records.integrity import MismatchedTranscript, MismatchFacts
from lora.records.transcripts import ImportFacts
from lora.records.verdict import CheckStatus, Severity


def judge_imports(facts: StudyFacts) -> Findings:
    """One check per imported file, those of the baseline first."""
    findings = Findings()
    for run in (BASE, *facts.config.candidates):
        for manifest in facts.config.evaluations:
            record = facts.imported.get((run, manifest))
            if record is None or record.format is None:
                continue
            incomplete = bool(record.unmatched or record.ambiguous or record.missing or record.notes)
            result = check(
                "parity.ids",
                status="warn" if incomplete else "pass",
                reason="incomplete" if incomplete else "ok",
                evidence=[facts.path(layout.IMPORT, run=run, manifest=manifest)],
                value=sum(record.matched.values()),
                threshold=record.rows,
                details=import_details(record),
                run=run,
                manifest=manifest,
            )
            findings.add(Findings.of(result))
    return findings


def import_details(record: ImportFacts) -> dict[str, Any]:
    """How the hypotheses of a file were matched to rows, with the first ids of those that were not."""
    return {
        "run": record.run,
        "manifest": record.manifest,
        "format": record.format,
        "rows": record.rows,
        "matched": record.matched,
        "unmatched": examples(record.unmatched),
        "ambiguous": examples(record.ambiguous),
        "rejected": examples(record.rejected),
        "without_hypothesis": examples(record.missing),
        "notes": record.notes,
    }


@dataclass(frozen=True)
class MismatchedRun:
    """Rows in which the hypothesis of `run` is another row's text and that of `other` is not.

    `share` of the compared rows is certainly the fault of `run`.
    """

    run: str
    other: str
    rows: list[MismatchedTranscript]
    compared: int
    share: float


def judge_external_hypotheses(facts: StudyFacts, run: str) -> Findings:
    """One check per manifest of an external run; none for runs that the runner transcribed."""
    findings = Findings()
    if facts.config.kind(run) == "hypotheses":
        for manifest in facts.config.evaluations:
            findings.add(_judge_manifest(facts, run, manifest))
    return findings


def _judge_manifest(facts: StudyFacts, run: str, manifest: str) -> Findings:
    rules = facts.config.integrity
    own = facts.hypotheses.get((run, manifest))
    mismatched = mismatched_hypotheses(facts, run, manifest)
    details: dict[str, Any] = {}
    value: float | None = None
    status: CheckStatus = "unknown"
    reason = "not_compared"
    compared = own is not None and own.compared and manifest in facts.mismatches
    if compared and mismatched is None:
        status = "pass"
        reason = "ok"
        value = 0.0
    elif compared and mismatched is not None:
        value = mismatched.share
        status = "fail" if value > rules.blocking_mismatched else "warn"
        reason = "other_rows"
        details = {
            "mismatched_run": mismatched.run,
            "other_run": mismatched.other,
            "compared": mismatched.compared,
            **mismatch_details(mismatched.rows),
        }
    result = check(
        "parity.hypotheses",
        status=status,
        reason=reason,
        evidence=[
            facts.path(layout.RUN_MISMATCHES, run=run, manifest=manifest),
            facts.path(layout.MISMATCHES, manifest=manifest),
        ],
        value=value,
        threshold=rules.max_mismatched,
        details=details,
        run=run,
        manifest=manifest,
    )
    severity: Severity = "blocks" if status == "fail" else "warns"
    return Findings.of(result, result.cause("parity.manifest", severity=severity) if reason == "other_rows" else None)


def mismatched_hypotheses(facts: StudyFacts, run: str, manifest: str) -> MismatchedRun | None:
    """Whose hypotheses are mismatched on a manifest, the run's or an external baseline's; None where neither's are."""
    own = facts.hypotheses.get((run, manifest))
    base = facts.mismatches.get(manifest)
    if own is None or base is None or facts.config.kind(run) != "hypotheses":
        return None
    pairs = [_compared(facts, run, own, BASE, base)]
    if facts.config.model is None:
        pairs.append(_compared(facts, BASE, base, run, own))
    worst = max(pairs, key=lambda pair: pair.share)
    return worst if worst.share > facts.config.integrity.max_mismatched else None


def run_contradicting_baseline(facts: StudyFacts, manifest: str) -> str | None:
    """The first candidate showing that an external baseline's hypotheses are mismatched, not the transcripts."""
    for run in facts.config.candidates:
        mismatched = mismatched_hypotheses(facts, run, manifest)
        if mismatched is not None and mismatched.run == BASE:
            return run
    return None


def _compared(facts: StudyFacts, run: str, own: MismatchFacts, other: str, others: MismatchFacts) -> MismatchedRun:
    """Rows that only `run` mismatches.

    Of these, as many as the other run's hypotheses contradict their own transcript may be the transcripts' fault.
    """
    common = {row.id for row in mismatched_rows(facts, others)}
    rows = [row for row in mismatched_rows(facts, own) if row.id not in common]
    uncertain = others.suspects - len(common)
    compared = min(own.compared, others.compared)
    share = max(len(rows) - uncertain, 0) / compared if compared else 0.0
    return MismatchedRun(run=run, other=other, rows=rows, compared=own.compared, share=share)
