"""Does the adapter change anything? The effect ladder, from adapter files to hypotheses.

Every stage gets a check, but only the lowest broken stage is a cause. What follows from it, or from a failed training,
is none: an adapter of zeros changes no hypothesis either.
"""

from __future__ import annotations

from collections.abc import Iterable

from lora import layout
from lora.diagnosis.adapter.checkpoint import checkpoint_stages
from lora.diagnosis.adapter.effect import called_modules, changed_texts, logits_stage, text_stage, weights_stage
from lora.diagnosis.adapter.load import file_stage, load_stage, stage_check
from lora.diagnosis.adapter.targets import adapted_groups
from lora.diagnosis.causes import CAUSES, RANK
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, CheckResult, Findings, check, worst
from lora.records.effect import EffectFacts
from lora.records.verdict import CheckStatus

# Consequences of a failed training, whose own cause explains these stages.
CONSEQUENCES = {"adapter.not_finite", "adapter.zero_delta", "adapter.negligible_delta", "adapter.no_text_change"}
CHECKPOINT_STAGES = ("adapter.load", "adapter.weights", "adapter.text")
STAGES = ("adapter.file", "adapter.load", "adapter.weights", "adapter.logits", "adapter.text")


def judge_adapter(facts: StudyFacts, run: str, training_causes: Iterable[CauseResult]) -> Findings:
    """Check all stages of one candidate; the cause is the lowest broken one, or what weakens a working adapter."""
    effect = facts.effect.get(run)
    if effect is None or effect.status == "impossible":
        return _without_effect(facts, run, effect)
    if effect.checkpoint is not None:
        stages = checkpoint_stages(facts, run, effect, effect.checkpoint).add(_hypotheses(facts, run))
        broken = [c for c in stages.causes if c.severity == "blocks"][:1]
        return Findings(stages.checks, broken or stages.causes)
    stages = Findings().add(
        file_stage(facts, run, effect),
        load_stage(facts, run, effect),
        weights_stage(facts, run, effect),
        logits_stage(facts, run, effect),
        text_stage(facts, run, effect),
    )
    broken = [c for c in stages.causes if c.severity == "blocks"][:1]
    if explained_by_training(training_causes):
        # What is wrong above a stage that the training broke follows from it as well.
        return Findings(stages.checks, [c for c in broken if c.code not in CONSEQUENCES])
    if broken:
        return Findings(stages.checks, broken)
    return Findings(stages.checks, stages.causes).add(
        adapted_groups(facts, run, effect), called_modules(facts, run, effect)
    )


def explained_by_training(causes: Iterable[CauseResult]) -> bool:
    """Whether the training of a run failed so badly that its adapter cannot work."""
    return any(c.code.startswith("training.") and CAUSES[c.code].severity == "blocks" for c in causes)


def _without_effect(facts: StudyFacts, run: str, effect: EffectFacts | None) -> Findings:
    """Stages of a run without effect facts.

    External transcripts are judged by their texts alone. Where the effect was impossible to measure, the code of the
    facts becomes the cause, and the check it concerns fails here.
    """
    if effect is None and facts.config.kind(run) in {"hypotheses", "checkpoint"}:
        return _hypotheses(facts, run)
    details = {"message": effect.message if effect else None}
    unmeasured = "not_measured" if effect is None else "impossible"
    adapter_at_fault = effect is not None and (effect.code or "").startswith(("adapter.", "training."))
    findings = Findings()
    stages = list(CHECKPOINT_STAGES if facts.config.kind(run) == "checkpoint" else STAGES)
    if adapter_at_fault and effect is not None and effect.file is not None:
        # The files could be read, so what failed is loading.
        findings.checks += file_stage(facts, run, effect).checks
        stages = stages[1:]
    for stage in stages:
        first = stage == stages[0]
        status: CheckStatus = "fail" if adapter_at_fault and first else "unknown"
        reason = "lower_stage_failed" if adapter_at_fault and not first else unmeasured
        findings.add(Findings.of(stage_check(facts, run, stage, status=status, reason=reason, details=details)))
    return findings


def _hypotheses(facts: StudyFacts, run: str) -> Findings:
    """Whether hypotheses of a run without an adapter of its own differ from the baseline's."""
    changed, compared = changed_texts(facts, run)
    status: CheckStatus = "pass" if changed else "fail" if compared else "unknown"
    result = check(
        "adapter.text",
        status=status,
        reason={"pass": "texts_differ", "fail": "texts_equal", "unknown": "nothing_compared"}[status],
        evidence=[facts.path(layout.PAIRED, run=run, manifest=m) for r, m in facts.paired if r == run],
        value=changed,
        details={"changed": changed, "compared": compared, "kind": facts.config.kind(run)},
        run=run,
    )
    return Findings.of(result, result.cause("adapter.no_text_change") if status == "fail" else None)


def adapter_change(facts: StudyFacts, findings: Findings) -> Findings:
    """The criterion: whether the tuning of the gate run takes effect, by the checks and causes judged so far."""
    run = facts.config.gate_run
    if run is None:
        return Findings.of(check("adapter_change", status="unknown", reason="no_candidate", evidence=[]))
    stages = [c for c in findings.checks if c.run == run and c.id in STAGES]
    blocking = [c for c in findings.causes if c.run == run and c.severity == "blocks"]
    blocking = [c for c in blocking if c.code.startswith(("adapter.", "training."))]
    status: CheckStatus = "fail" if blocking else worst(stage.status for stage in stages)
    explained_by: list[CheckResult | CauseResult] = []
    if blocking:
        explained_by = [min(blocking, key=lambda c: RANK[c.code])]
    elif status == "pass":
        explained_by += [stage for stage in stages if stage.id in {"adapter.weights", "adapter.text"}]
    else:
        explained_by += [stage for stage in stages if stage.status == status][:1]
    effect = facts.effect.get(run)
    value: float | str | None = effect.median_relative_norm if effect else None
    threshold: float | None = facts.config.adapter.min_relative_norm
    if facts.config.kind(run) == "hypotheses":
        # Without weights there is no relative norm; the number of changed texts decides.
        value = next((stage.value for stage in stages if stage.id == "adapter.text"), None)
        threshold = None
    result = check(
        "adapter_change",
        status=status,
        reason=_criterion_reason(explained_by, status),
        evidence=[facts.path(layout.EFFECT, run=run)],
        value=value,
        threshold=threshold,
        run=run,
        explained_by=explained_by,
    )
    return Findings.of(result)


def _criterion_reason(explained_by: list[CheckResult | CauseResult], status: CheckStatus) -> str:
    """`ok`, `not_measured`, or the cause code or check id that decides."""
    if not explained_by:
        return "not_measured"
    if status == "pass":
        return "ok"
    first = explained_by[0]
    return first.code if isinstance(first, CauseResult) else first.id
