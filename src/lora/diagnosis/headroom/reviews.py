"""What listeners found: do wrong references change the outcome, or is most of the headroom only reference errors?

Only warnings come of it: few rows are judged, and most of them were chosen for their errors.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import MOST_NAMED, Findings, check, examples
from lora.records.comparisons import PairedScore
from lora.records.reviews import JudgedChanges, ReviewedScore, ReviewFacts
from lora.records.verdict import CheckStatus
from lora.scoring.shares import share_interval

FEWEST = 3  # wrong references: one or two may be an accident


def judge_reviews(facts: StudyFacts, manifest: str, *, gating: bool) -> Findings:
    """Compare the study with and without the references that listeners found wrong.

    Nothing is checked on a manifest in which nobody judged a row. `gating` is the evaluation manifest.
    """
    review = facts.reviews.get(manifest)
    if review is None or (review.status == "ok" and not review.counts.judged):
        return Findings()
    id = "headroom.reviews"
    evidence = [facts.path(layout.REVIEW, manifest=manifest)]
    given = review.score("given")
    corrected = review.score("corrected")
    if given is None or corrected is None:
        result = check(id, status="unknown", reason="not_computed", evidence=evidence, run=BASE, manifest=manifest)
        return Findings.of(result)
    reason = _difference(facts, manifest, review, given, corrected, gating)
    status: CheckStatus = "pass" if reason == "ok" else "warn"
    result = check(
        id,
        status=status,
        reason=reason,
        value=review.noise.share if review.noise else None,
        details=_details(facts, manifest, review, given, corrected, gating),
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    return Findings.of(result, None if reason == "ok" else result.cause("headroom.wrong_references"))


def _difference(
    facts: StudyFacts,
    manifest: str,
    review: ReviewFacts,
    given: ReviewedScore,
    corrected: ReviewedScore,
    gating: bool,
) -> str:
    """What wrong references change, the most important first; `ok` where nothing."""
    run = facts.config.gate_run or ""
    floor = facts.config.headroom.min_wer
    if gating and run in given.runs and given.runs[run].outcome != corrected.runs[run].outcome:
        return "outcome_changes"
    if manifest in facts.config.general:
        return "ok"
    before = given.baseline.wer
    after = corrected.baseline.wer
    if before is not None and after is not None and before > floor >= after:
        return "no_headroom"
    noise = review.noise
    if noise is None or noise.wer is None or noise.reference_wer is None or noise.counts.reference_wrong < FEWEST:
        return "ok"
    return "mostly_references" if noise.reference_wer > noise.wer - noise.reference_wer else "ok"


def _details(
    facts: StudyFacts,
    manifest: str,
    review: ReviewFacts,
    given: ReviewedScore,
    corrected: ReviewedScore,
    gating: bool,
) -> dict[str, Any]:
    run = facts.config.gate_run if gating and facts.config.gate_run in given.runs else None
    noise = review.noise
    suspicion = review.suspicion
    return {
        "unit": facts.unit(manifest),
        "rows": review.rows,
        "counts": review.counts.to_json(),
        "sample": None
        if noise is None
        else {
            "rows": noise.rows,
            "wrong": noise.counts.reference_wrong,
            "share": noise.share,
            "interval": noise.interval.to_json(),
            "wer": noise.wer,
            "reference_wer": noise.reference_wer,
            "reference_interval": noise.reference_interval.to_json(),
        },
        "wer": {"given": given.baseline.wer, "corrected": corrected.baseline.wer},
        "floor": facts.config.headroom.min_wer,
        "errors": review.errors.to_json() if review.errors else None,
        "run": run,
        "given": _outcome(given.runs[run]) if run else None,
        "corrected": _outcome(corrected.runs[run]) if run else None,
        "one_sided": _one_sided(review, run),
        "suspicion": suspicion.to_json() if suspicion else None,
        "disagreements": examples(review.disagreements),
        "command": write_command(manifest),
        "path": corrected_manifest(manifest),
    }


def _outcome(score: PairedScore) -> dict[str, Any]:
    return {"delta": score.delta, "interval": score.interval.to_json(), "outcome": score.outcome}


def _one_sided(review: ReviewFacts, run: str | None) -> dict[str, Any] | None:
    """The rows that the run changed, where many more of one side were judged than of the other; else None."""
    changes = next((entry for entry in review.changes if entry.run == run), None)
    if changes is None or review.counts.reference_wrong < FEWEST or not _takes_sides(changes):
        return None
    return changes.to_json()


def _takes_sides(changes: JudgedChanges) -> bool:
    """Whether the exact intervals of the judged shares of worse and of better rows do not overlap."""
    worse = share_interval(changes.worse_judged, changes.worse)
    better = share_interval(changes.better_judged, changes.better)
    return worse[0] > better[1] or better[0] > worse[1]


def judge_review_files(facts: StudyFacts) -> Findings:
    """Whether every line of the review files can be used."""
    if not facts.config.reviews:
        return Findings()
    rejected = facts.rejected_judgements
    first = [{"file": entry.file, "line": entry.line, "reason": entry.reason} for entry in rejected[:MOST_NAMED]]
    result = check(
        "headroom.judgements",
        status="warn" if rejected else "pass",
        reason="rejected" if rejected else "ok",
        value=len(rejected),
        threshold=0,
        details={"files": len(facts.config.reviews), "rejected": len(rejected), "first": first},
        evidence=[facts.path(layout.REJECTED_JUDGEMENTS)],
    )
    return Findings.of(result)


def corrected_manifest(manifest: str) -> str:
    """Path of a corrected manifest, relative to the study."""
    return f"data/{manifest}-corrected/manifest.jsonl"


def write_command(manifest: str) -> str:
    folder = corrected_manifest(manifest).rpartition("/")[0]
    return (
        f"python -m lora.runners.experiment write-corrected --results results --manifest {manifest} --output {folder}"
    )
