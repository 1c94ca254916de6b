"""P: do hypotheses that somebody brought stand under the ids of their own rows?

Matched by position, or joined with the wrong table, they belong to other rows, and then every row is scored against a
text of other audio. The runner's own transcripts cannot slip and are not asked. Rows in which both runs say another
row's text have wrong texts (`data.transcript_mismatch`); where one run alone does, its hypotheses are out of place.
"""

from __future__ import annotations

from dataclasses import dataclass

from lora import layout
from lora.diagnosis.data.mismatched_rows import common_offset, mismatch_details, mismatched_rows
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.diagnosis.wording.texts import lines_away, mismatch_examples
from lora.formatting import count, percent
from lora.records.integrity import MismatchedTranscript, MismatchFacts
from lora.records.verdict import CheckStatus, Severity


@dataclass(frozen=True)
class OutOfPlace:
    """Rows in which `run` says another row's text and `other` does not; `share` of them surely is `run`'s own fault."""

    run: str
    other: str
    rows: list[MismatchedTranscript]
    compared: int
    share: float


def judge_hypotheses(facts: StudyFacts, run: str) -> Findings:
    """A check for every manifest of brought transcripts; empty for runs that the runner transcribed."""
    findings = Findings()
    if facts.config.kind(run) == "hypotheses":
        for manifest in facts.config.evaluations:
            findings.add(_hypotheses(facts, run, manifest))
    return findings


def out_of_place(facts: StudyFacts, run: str, manifest: str) -> OutOfPlace | None:
    """Whose hypotheses, the run's or a brought baseline's, are out of place on a manifest; null where neither's are."""
    own, base = facts.hypotheses.get((run, manifest)), facts.mismatches.get(manifest)
    if own is None or base is None or facts.config.kind(run) != "hypotheses":
        return None
    pairs = [_alone(facts, run, own, BASE, base)]
    if facts.config.model is None:
        pairs.append(_alone(facts, BASE, base, run, own))
    worst = max(pairs, key=lambda pair: pair.share)
    return worst if worst.share > facts.config.integrity.max_mismatched else None


def heard_rightly_by(facts: StudyFacts, manifest: str) -> str | None:
    """The first candidate that shows a brought baseline's hypotheses to be out of place, not the manifest's texts."""
    for run in facts.config.candidates:
        slipped = out_of_place(facts, run, manifest)
        if slipped is not None and slipped.run == BASE:
            return run
    return None


def _alone(facts: StudyFacts, run: str, own: MismatchFacts, other: str, others: MismatchFacts) -> OutOfPlace:
    """Rows that only one run misplaces. As many as the other hears unlike their own text may be the texts' fault."""
    common = {row.id for row in mismatched_rows(facts, others)}
    rows = [row for row in mismatched_rows(facts, own) if row.id not in common]
    unsure = others.suspects - len(common)
    compared = min(own.compared, others.compared)
    return OutOfPlace(run, other, rows, own.compared, max(len(rows) - unsure, 0) / compared if compared else 0.0)


def _hypotheses(facts: StudyFacts, run: str, manifest: str) -> Findings:
    id, rules = "parity.hypotheses", facts.config.integrity
    own, most = facts.hypotheses.get((run, manifest)), rules.max_mismatched
    evidence = [
        facts.path(layout.RUN_MISMATCHES, run=run, manifest=manifest),
        facts.path(layout.MISMATCHES, manifest=manifest),
    ]
    if own is None or not own.compared or manifest not in facts.mismatches:
        told = f"Whether hypotheses of {run} on {manifest} stand under the ids of their rows is not known."
        return found(id, Answer("unknown", told, None, most), evidence, run, manifest)
    slipped = out_of_place(facts, run, manifest)
    if slipped is None:
        told = f"Hypotheses of {run} stand under the ids of their rows on {manifest}, as far as texts can tell."
        return found(id, Answer("pass", told, 0.0, most), evidence, run, manifest)
    because = (
        f"{slipped.run} says the text of another row in {len(slipped.rows)} of {count(slipped.compared, 'row')} of "
        f"{manifest} ({percent(len(slipped.rows) / slipped.compared)}; {mismatch_examples(mismatch_details(slipped.rows))}), where "
        f"{slipped.other} says their own: the hypotheses of {slipped.run} stand under the ids of other rows"
    )
    slip = common_offset(slipped.rows)
    if slip is not None:
        because += f"; {slip[1]} of them belong {lines_away(slip[0])}"
    remedy = (
        f"Join the hypotheses of {slipped.run} with their rows by id rather than by position, and bring them again."
    )
    severity: Severity = "blocks" if slipped.share > rules.blocking_mismatched else "warns"
    broken = cause("parity.manifest", f"{because}.", evidence, run, manifest, remedy, severity)
    status: CheckStatus = "fail" if severity == "blocks" else "warn"
    return found(id, Answer(status, broken.because or "", slipped.share, most, broken), evidence, run, manifest)
