"""From all facts to one verdict: run every judge, put the results into words, join, cap and rank the causes.

A study is ready for the sweep when all four criteria pass or warn and no cause blocks the gating comparison, which is
the gate run against the baseline on the evaluation manifest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lora import layout
from lora.diagnosis import wording
from lora.diagnosis.adapter.criterion import CONSEQUENCES, adapter_change, explained_by_training, judge_adapter
from lora.diagnosis.causes import CAUSES
from lora.diagnosis.checks import CHECKS, CRITERIA
from lora.diagnosis.data.criterion import judge_data
from lora.diagnosis.facts import BASE, TRAIN, StudyFacts
from lora.diagnosis.findings import CauseResult, CheckResult, Findings, cause
from lora.diagnosis.headroom.criterion import judge_headroom
from lora.diagnosis.headroom.eval_manifest import choose_eval_manifest
from lora.diagnosis.judged_rows import with_judged_comparison, with_judged_rows
from lora.diagnosis.labels.audit import judge_labels
from lora.diagnosis.outcomes import direction, judge_outcomes, run_outcomes
from lora.diagnosis.parity.criterion import judge_parity, parity_criterion
from lora.diagnosis.parity.external_hypotheses import judge_imports
from lora.diagnosis.shortage import place_by_shortage, shortage
from lora.diagnosis.text.markup import judge_markup
from lora.diagnosis.text.notation import judge_notation
from lora.diagnosis.training.judge import judge_training
from lora.records.base import Fact
from lora.records.effect import EffectFacts
from lora.records.verdict import Cause, Check, Gate, Verdict

SEVERITIES = ("blocks", "warns", "info")
# Codes that name the same problem more precisely than the code of a fact does.
EXPLAINED_BY = {"data.too_few_samples": {"data.filter_starves_training", "data.wrong_durations"}}


def decide(facts: StudyFacts) -> Verdict:
    """Decide the verdict of a study, whatever its fact files contain or lack."""
    facts = judged(facts)
    eval_manifest = choose_eval_manifest(facts)
    findings = judge_all(facts, eval_manifest)
    causes = joined([worded_cause(result) for result in findings.causes])
    causes = rank(facts, eval_manifest, [capped(facts, eval_manifest, c) for c in causes])
    checks = in_order([worded_check(result) for result in findings.checks])
    return Verdict(
        ready_for_sweep=ready(facts, checks, causes),
        max_seconds=facts.max_seconds,
        eval_manifest=eval_manifest,
        gate_run=facts.config.gate_run,
        checks=checks,
        causes=causes,
        runs=run_outcomes(facts),
    )


def judged(facts: StudyFacts) -> StudyFacts:
    """Facts whose scores are those of the rows that `headroom.rows` names."""
    rows = facts.config.headroom.rows
    return replace(
        facts,
        wer={key: with_judged_rows(wer, rows) for key, wer in facts.wer.items()},
        paired={key: with_judged_comparison(paired, rows) for key, paired in facts.paired.items()},
    )


def judge_all(facts: StudyFacts, eval_manifest: str | None) -> Findings:
    """Run every judge once, on every manifest and every candidate."""
    findings = judge_data(facts).add(judge_markup(facts), judge_notation(facts))
    findings.add(judge_headroom(facts, eval_manifest), judge_labels(facts), judge_imports(facts))
    for run in facts.config.candidates:
        training = judge_training(facts, run)
        adapter = judge_adapter(facts, run, training.causes)
        findings.add(training, adapter, judge_parity(facts, run, eval_manifest))
        findings.add(judge_outcomes(facts, run, eval_manifest, findings.causes))
    findings.add(direction(facts))
    findings.causes += impossible_causes(facts, eval_manifest, findings.causes)
    findings.add(adapter_change(facts, findings), parity_criterion(facts, eval_manifest))
    findings.checks = [with_missing_input(facts, result) for result in findings.checks]
    return findings


def with_missing_input(facts: StudyFacts, result: CheckResult) -> CheckResult:
    """Add to an unknown check which input it needs (`details["missing"]`)."""
    if result.status != "unknown":
        return result
    return replace(result, details={**result.details, "missing": missing_input(facts, result)})


def missing_input(facts: StudyFacts, result: CheckResult) -> str:
    """Code of the input that would answer an unknown check; `inputs` are those in the table of checks."""
    requires = CHECKS[result.id].requires
    if "training_manifest" in requires and TRAIN not in facts.config.manifests:
        return "training_manifest"
    if "model" in requires and facts.config.model is None:
        return "model"
    if "candidate" in requires and facts.config.gate_run is None:
        return "candidate"
    run = result.run or facts.config.gate_run or ""
    train = facts.training.get(run)
    if result.id.startswith("training.") and train is not None and train.source and train.unreadable is None:
        return "trainer_log"
    if "adapter" in requires:
        if facts.config.kind(run) == "hypotheses":
            return "transcripts_or_adapter"
        effect = facts.effect.get(run)
        if effect is not None and effect.status == "impossible":
            return "failed_step"
    return "inputs"


def worded_check(result: CheckResult) -> Check:
    return Check(
        id=result.id,
        run=result.run,
        manifest=result.manifest,
        status=result.status,
        reason=result.reason,
        value=result.value,
        threshold=result.threshold,
        details=dict(result.details),
        summary=wording.summary(result),
        evidence=list(result.evidence),
    )


def worded_cause(result: CauseResult) -> Cause:
    return Cause(
        code=result.code,
        severity=result.severity,
        run=result.run,
        manifest=result.manifest,
        reason=result.reason,
        details=dict(result.details),
        because=wording.because(result),
        remedy=wording.remedy(result),
        evidence=list(result.evidence),
    )


def impossible_causes(facts: StudyFacts, eval_manifest: str | None, known: list[CauseResult]) -> list[CauseResult]:
    """Causes of facts that could not be computed; the first fact file of a run that reports one is its evidence."""
    causes: list[CauseResult] = []
    for fact, run, manifest, path in _fact_files(facts, eval_manifest):
        if fact.status == "ok" or fact.code not in CAUSES:
            continue
        codes = {fact.code, *EXPLAINED_BY.get(fact.code, ())}
        same_run = [c for c in [*known, *causes] if run is None or c.run in {None, run}]
        training_failed = fact.code in CONSEQUENCES and explained_by_training(c for c in same_run if c.run == run)
        if training_failed or any(c.code in codes for c in same_run):
            continue
        details = {"message": fact.message}
        if isinstance(fact, EffectFacts) and fact.remedy is not None:
            details["remedy"] = fact.remedy
        causes.append(
            cause(fact.code, reason="impossible", details=details, evidence=[path], run=run, manifest=manifest)
        )
    return causes


def _fact_files(facts: StudyFacts, eval_manifest: str | None) -> Iterator[tuple[Fact, str | None, str | None, str]]:
    """Yield (fact, run, manifest, path) in the order of the workflow, the evaluation manifest before the others."""
    manifests = sorted(facts.config.evaluations, key=lambda m: m != eval_manifest)
    if facts.labels is not None:
        yield facts.labels, None, TRAIN, facts.path(layout.LABELS)
    for run in (BASE, *facts.config.candidates):
        if run in facts.training:
            yield facts.training[run], run, None, facts.path(layout.TRAINING, run=run)
        if run in facts.effect:
            yield facts.effect[run], run, None, facts.path(layout.EFFECT, run=run)
        for m in manifests:
            if (run, m) in facts.settings:
                yield facts.settings[run, m], run, m, facts.path(layout.SETTINGS, run=run, manifest=m)
            if (run, m) in facts.wer:
                yield facts.wer[run, m], run, m, facts.path(layout.WER, run=run, manifest=m)
            if (run, m) in facts.paired:
                yield facts.paired[run, m], run, m, facts.path(layout.PAIRED, run=run, manifest=m)
        if run in facts.parity:
            yield facts.parity[run], run, None, facts.path(layout.PARITY, run=run)


def joined(causes: list[Cause]) -> list[Cause]:
    """Join causes of one code, run and manifest: sentences and evidence of all, remedy and reason of the first.

    Reasons and details of the others are listed in `details["also"]`.
    """
    by_key: dict[tuple[str, str | None, str | None], Cause] = {}
    for c in causes:
        key = (c.code, c.run, c.manifest)
        first = by_key.get(key)
        if first is None:
            by_key[key] = c
            continue
        also = [*first.details.get("also", []), {"reason": c.reason, **c.details}]
        by_key[key] = first.model_copy(
            update={
                "because": f"{first.because} {c.because}",
                "evidence": list(dict.fromkeys([*first.evidence, *c.evidence])),
                "details": {**first.details, "also": also},
            }
        )
    return list(by_key.values())


def is_gating(facts: StudyFacts, eval_manifest: str | None, c: Cause) -> bool:
    """Whether a cause concerns the gating comparison: gate run or baseline, on the evaluation manifest or training.

    Where no evaluation manifest could be chosen, all domain manifests count.
    """
    manifests = {None, TRAIN, *([eval_manifest] if eval_manifest else facts.config.domain)}
    return c.run in {None, BASE, facts.config.gate_run} and c.manifest in manifests


def capped(facts: StudyFacts, eval_manifest: str | None, c: Cause) -> Cause:
    """Lower `blocks` to `warns` outside the gating comparison."""
    if c.severity == "blocks" and not is_gating(facts, eval_manifest, c):
        return c.model_copy(update={"severity": "warns"})
    return c


def rank(facts: StudyFacts, eval_manifest: str | None, causes: list[Cause]) -> list[Cause]:
    """Sort by severity, then the gating comparison before others, then by the table's order, manifest and run.

    Of causes that say "not enough", one that is further off comes first (`lora.diagnosis.shortage`). A style of labels
    that the short run overcame comes last: the evidence shows that it is not what keeps tuning from working.
    """
    manifests = list(facts.config.manifests)
    runs = [BASE, *facts.config.candidates]

    def group(c: Cause) -> tuple[int, bool]:
        concerns_gate = is_gating(facts, eval_manifest, c) or c.run == facts.config.gate_run
        return SEVERITIES.index(c.severity), not concerns_gate

    def order(c: Cause) -> tuple[tuple[int, bool], bool, int, float, int, int]:
        manifest = manifests.index(c.manifest) if c.manifest in manifests else -1
        run = runs.index(c.run) if c.run in runs else -1
        place = place_by_shortage(c, [other for other in causes if group(other) == group(c)])
        overcome = (c.details.get("short_run") or {}).get("outcome") == "better"
        return group(c), overcome, place, -(shortage(c) or 0.0), manifest, run

    return sorted(causes, key=order)


def in_order(checks: list[Check]) -> list[Check]:
    """The four criteria first, then all other checks in the order in which they were judged."""
    criteria = {c.id: c for c in checks if c.id in CRITERIA}
    return [criteria[id] for id in CRITERIA] + [c for c in checks if c.id not in CRITERIA]


def ready(facts: StudyFacts, checks: list[Check], causes: list[Cause]) -> bool | None:
    """Whether the sweep may start; None without a model."""
    if facts.config.model is None:
        return None
    met = all(check.status in {"pass", "warn"} for check in checks if check.id in CRITERIA)
    return met and not any(c.severity == "blocks" for c in causes)


def gate(verdict: Verdict) -> Gate:
    """List the reasons against a sweep: blocking causes with remedies, then criteria that none of them explains."""
    if verdict.ready_for_sweep:
        return Gate(ready_for_sweep=True, reasons=[])
    reasons = (
        []
        if verdict.ready_for_sweep is False
        else ["No model is configured (`model: null`), so there is nothing to sweep."]
    )
    blocking = [c for c in verdict.causes if c.severity == "blocks"]
    reasons += [f"{c.because} {c.remedy} [{c.code}]" for c in blocking]
    for check in verdict.checks:
        if check.id not in CRITERIA or check.status not in {"fail", "unknown"}:
            continue
        explained = check.status == "fail" and any(c.code.startswith(CRITERIA[check.id]) for c in blocking)
        if not explained:
            reasons.append(f"{check.summary} [{check.id}: {check.status}]")
    return Gate(ready_for_sweep=verdict.ready_for_sweep, reasons=reasons)
