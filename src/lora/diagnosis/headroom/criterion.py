"""Does the baseline leave anything to gain, and could the manifest show it? Remedies name data only.

A manifest has headroom where the baseline's WER is above `headroom.min_wer`. General manifests are expected to be
saturated: they are only asked whether the model works on them and whether their references are right.
"""

from __future__ import annotations

from typing import Any

from lora import layout
from lora.diagnosis.facts import BASE, StudyFacts
from lora.diagnosis.findings import Findings, check
from lora.diagnosis.headroom.baseline import (
    Baseline,
    baseline,
    judge_baseline,
    tuned_signs,
    unknown_wer,
)
from lora.diagnosis.headroom.hardening import harder_version
from lora.diagnosis.headroom.power import foreseen, foreseen_power, judge_power
from lora.diagnosis.headroom.reachable import judge_errors
from lora.diagnosis.headroom.reviews import judge_review_files, judge_reviews
from lora.diagnosis.judged_rows import other_rows
from lora.records.verdict import CheckStatus


def judge_headroom(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    findings = headroom_criterion(facts, eval_manifest)
    for manifest in facts.config.evaluations:
        findings.add(judge_wer(facts, manifest), judge_baseline(facts, manifest), judge_errors(facts, manifest))
        findings.add(judge_reviews(facts, manifest, gating=manifest == eval_manifest))
        if manifest in facts.config.domain:
            findings.add(judge_power(facts, manifest, gating=manifest == eval_manifest))
    return findings.add(judge_review_files(facts))


def headroom_criterion(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """The criterion: a baseline WER above the floor on a domain manifest; warns if its interval reaches the floor."""
    id = "headroom"
    floor = facts.config.headroom.min_wer
    domain = facts.config.domain
    manifests = [eval_manifest] if eval_manifest else domain
    evidence = [facts.path(layout.WER, run=BASE, manifest=m) for m in manifests]
    base = baseline(facts, eval_manifest) if eval_manifest else None
    if base is not None:
        return Findings.of(
            check(
                id,
                status=_status_above(base, floor),
                reason="above",
                value=base.wer,
                threshold=floor,
                details=_wer_details(facts, eval_manifest, base, floor),
                evidence=evidence,
                manifest=eval_manifest,
            )
        )
    wers = {m: b.wer for m in domain if (b := baseline(facts, m)) is not None}
    if eval_manifest is not None or not wers:
        unknown = [unknown_wer(facts, m) for m in manifests]
        details = {"unknown": unknown}
        return Findings.of(
            check(id, status="unknown", reason="no_wer", threshold=floor, details=details, evidence=evidence)
        )
    best = max(wers, key=wers.__getitem__)
    return Findings.of(
        check(
            id,
            status="fail",
            reason="none_above",
            value=wers[best],
            threshold=floor,
            details={"highest": best, "wer": wers[best], "floor": floor},
            evidence=evidence,
        )
    )


def judge_wer(facts: StudyFacts, manifest: str) -> Findings:
    """Whether the baseline is at its floor. A set too small to decide is left to `headroom.power`."""
    id = "headroom.baseline"
    floor = facts.config.headroom.min_wer
    evidence = [facts.path(layout.WER, run=BASE, manifest=manifest)]
    base = baseline(facts, manifest)
    if base is None:
        return Findings.of(
            check(
                id,
                status="unknown",
                reason="no_wer",
                threshold=floor,
                details={"unknown": [unknown_wer(facts, manifest)]},
                evidence=evidence,
                run=BASE,
                manifest=manifest,
            )
        )
    status: CheckStatus = "fail"
    if base.wer > floor:
        status = _status_above(base, floor)
        reason = "above"
    elif manifest in facts.config.general:
        status, reason = "pass", "general"
    else:
        reason = "too_few_rows" if _undecided(facts, manifest, base) else "saturated"
    details = _wer_details(facts, manifest, base, floor)
    run = facts.config.gate_run
    has_faults = run is not None and bool(tuned_signs(facts, run, manifest))
    details["other_rows"] = other_rows(facts, manifest, has_faults=has_faults)
    if reason == "saturated":
        details["harder"] = harder_version(facts, manifest)
    result = check(
        id,
        status=status,
        reason=reason,
        value=base.wer,
        threshold=floor,
        details=details,
        evidence=evidence,
        run=BASE,
        manifest=manifest,
    )
    if reason == "general":
        return Findings.of(result, result.cause("headroom.saturated", severity="info"))
    return Findings.of(result, result.cause("headroom.saturated") if reason == "saturated" else None)


def _status_above(base: Baseline, floor: float) -> CheckStatus:
    """Status of a WER above the floor: warns where its interval reaches down to it, or there is none."""
    low = base.score.interval.low
    return "warn" if low is None or low <= floor else "pass"


def _wer_details(facts: StudyFacts, manifest: str | None, base: Baseline, floor: float) -> dict[str, Any]:
    """`certain` says whether the whole interval is on the WER's side of the floor; None without an interval."""
    low = base.score.interval.low
    high = base.score.interval.high
    certain: bool | None = None
    if base.wer > floor and low is not None:
        certain = low > floor
    elif base.wer <= floor and high is not None:
        certain = high <= floor
    return {
        "wer": base.wer,
        "unit": facts.unit(manifest or ""),
        "rows": base.score.utterances,
        "max_seconds": None if facts.config.headroom.rows == "all" else facts.max_seconds,
        "interval": base.score.interval.to_json(),
        "floor": floor,
        "certain": certain,
    }


def _undecided(facts: StudyFacts, manifest: str, base: Baseline) -> bool:
    """At the floor, but with an interval that reaches above it and without the power to show the target gain."""
    floor = facts.config.headroom.min_wer
    target = facts.config.statistics.target_gain
    high = base.score.interval.high
    return (high is None or high > floor) and foreseen(foreseen_power(facts, manifest)) > target
