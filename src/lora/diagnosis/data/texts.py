"""Does each transcript belong to its audio? Judged by whose text the base model transcribes in each row.

A row counts only where another text fits clearly better than its own, so weak models and accents raise no cause.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lora import layout
from lora.diagnosis.data.mismatched_rows import common_offset, mismatch_details, mismatched_rows
from lora.diagnosis.facts import BASE, REPLAY, TRAIN, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.parity.external_hypotheses import run_contradicting_baseline
from lora.records.integrity import MismatchFacts
from lora.records.verdict import CheckStatus, Severity
from lora.scoring.shares import share_interval

ENOUGH_COMPARED = 20  # rows of a domain manifest from which its share of unlike texts is compared


def judge_texts(facts: StudyFacts, manifest: str) -> Findings:
    """One check per manifest. A few mismatched transcripts warn; many invalidate every number on it and block.

    No check of training without a model, which alone transcribes training rows, and none of `replay`, which nothing
    transcribes.
    """
    if manifest == REPLAY:
        return Findings()
    id = "data.texts"
    evidence = [facts.path(layout.MISMATCHES, manifest=manifest)]
    if manifest == TRAIN:
        evidence.append(facts.path(layout.LABEL_HYPOTHESES))
    else:
        evidence.append(facts.path(layout.TRANSCRIPTS, run=BASE, manifest=manifest))
    compared = facts.mismatches.get(manifest)
    rules = facts.config.integrity
    if manifest == TRAIN and facts.config.model is None:
        return Findings()
    if compared is None or not compared.compared:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason="not_compared",
                threshold=rules.max_mismatched,
                evidence=evidence,
                manifest=manifest,
            )
        )
    mismatched = mismatched_rows(facts, compared)
    share = mismatched_share(facts, manifest)
    contradicted_by = run_contradicting_baseline(facts, manifest) if mismatched else None
    details: dict[str, Any] = {
        "rows": compared.rows,
        "compared": compared.compared,
        "share": share,
        **mismatch_details(mismatched),
        "contradicted_by": contradicted_by,
        "file": facts.path(layout.MISMATCHES, manifest=manifest),
    }
    status: CheckStatus = "fail"
    reason = "mismatched" if common_offset(mismatched) is None else "shifted"
    if not mismatched:
        status, reason = "pass", "ok"
    elif contradicted_by is not None:
        status, reason = "warn", "baseline_shifted"
    elif share <= rules.max_mismatched:
        status = "warn"
    result = check(
        id,
        status=status,
        reason=reason,
        value=share if mismatched else 0.0,
        threshold=rules.max_mismatched,
        details=details,
        evidence=evidence,
        manifest=manifest,
    )
    unlike = None if status == "fail" else _unlike_own_texts(facts, manifest, compared)
    if unlike is not None:
        result = replace(
            result, status="fail", reason="unlike", value=unlike["unlike_share"], threshold=rules.max_unlike
        )
        result = replace(result, details={**details, **unlike})
        return Findings.of(result, result.cause("data.transcript_mismatch"))
    if status != "fail":
        return Findings.of(result)
    severity: Severity = "blocks" if _many(facts, compared, len(mismatched)) else "warns"
    return Findings.of(result, result.cause("data.transcript_mismatch", severity=severity))


def _many(facts: StudyFacts, compared: MismatchFacts, mismatched: int) -> bool:
    """Whether too many rows are mismatched: of a sample, the share that its interval cannot exclude.

    The lower end must be above the tolerated share, so that a single row of a small sample never blocks.
    """
    rules = facts.config.integrity
    share = mismatched / compared.compared
    low, high = share_interval(mismatched, compared.compared) if compared.compared < compared.rows else (share, share)
    return high > rules.blocking_mismatched and low > rules.max_mismatched


def _unlike_own_texts(facts: StudyFacts, manifest: str, compared: MismatchFacts) -> dict[str, Any] | None:
    """Details where far more training rows than domain rows have a hypothesis unlike their own text.

    A weak model is weak on both; wrong offsets, texts of no row of the manifest or damaged audio are in one of them.
    """
    others = {m: facts.mismatches[m] for m in facts.config.domain if m in facts.mismatches}
    others = {m: other for m, other in others.items() if other.compared >= ENOUGH_COMPARED}
    if manifest != TRAIN or not others or not compared.compared:
        return None
    worst = max(others, key=lambda m: others[m].suspects / others[m].compared)
    share = compared.suspects / compared.compared
    usual = others[worst].suspects / others[worst].compared
    low, high = share_interval(compared.suspects, compared.compared)
    if (
        share <= facts.config.integrity.max_unlike
        or low <= share_interval(others[worst].suspects, others[worst].compared)[1]
    ):
        return None
    return {
        "unlike": compared.suspects,
        "unlike_share": share,
        "interval": [low, high],
        "unlike_lines": compared.suspect_lines,
        "other": worst,
        "other_share": usual,
    }


def mismatched_share(facts: StudyFacts, manifest: str) -> float:
    """Share of the compared rows that another text fits clearly better; 0 where nothing was compared."""
    compared = facts.mismatches.get(manifest)
    return len(mismatched_rows(facts, compared)) / compared.compared if compared and compared.compared else 0.0


def has_many_mismatches(facts: StudyFacts, manifest: str) -> bool:
    return mismatched_share(facts, manifest) > facts.config.integrity.blocking_mismatched
