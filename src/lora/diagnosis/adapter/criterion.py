"""D3: does the adapter change anything? From its files up to the texts, the lowest broken stage is the cause.

All stages are told (`stages`), but what follows from a lower stage, or from a training that went wrong, is no cause of its
own: an adapter of zeros changes no text either.
"""

from __future__ import annotations

from collections.abc import Iterable

from lora import layout
from lora.diagnosis.adapter.checkpoint import checkpoint_stages
from lora.diagnosis.adapter.effect import called_modules, changed_texts, logits_stage, text_stage, weights_stage
from lora.diagnosis.adapter.load import file_stage, load_stage, partial_targets, stage_answer
from lora.diagnosis.causes import CAUSES, RANK
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, Findings, worst
from lora.diagnosis.transitional import Answer, cause, found
from lora.diagnosis.wording import because
from lora.formatting import count
from lora.records.effect import EffectFacts
from lora.records.verdict import CheckStatus

# What a training gone wrong leaves behind: its own cause explains these stages.
CONSEQUENCES = {"adapter.not_finite", "adapter.zero_delta", "adapter.negligible_delta", "adapter.no_text_change"}
STAGES = ("adapter.file", "adapter.load", "adapter.weights", "adapter.logits", "adapter.text")


def judge_adapter(facts: StudyFacts, run: str, training_causes: Iterable[CauseResult]) -> Findings:
    """All stages of one candidate; its causes are the lowest broken stage, or whatever weakens an adapter that works."""
    effect = facts.effect.get(run)
    if effect is None or effect.status == "impossible":
        return _without_ladder(facts, run, effect)
    if effect.checkpoint is not None:
        stages = checkpoint_stages(facts, run, effect, effect.checkpoint).add(_texts(facts, run))
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
        # What stands above a stage that the training broke follows from it as well.
        return Findings(stages.checks, [c for c in broken if c.code not in CONSEQUENCES])
    if broken:
        return Findings(stages.checks, broken)
    return Findings(stages.checks, stages.causes).add(
        partial_targets(facts, run, effect), called_modules(facts, run, effect)
    )


def explained_by_training(causes: Iterable[CauseResult]) -> bool:
    """Whether the training of a run went so wrong that its adapter cannot be otherwise."""
    return any(c.code.startswith("training.") and CAUSES[c.code].severity == "blocks" for c in causes)


def _without_ladder(facts: StudyFacts, run: str, effect: EffectFacts | None) -> Findings:
    """No stage could be climbed: brought transcripts show only their texts, an impossible effect carries its code."""
    if effect is None and facts.config.kind(run) in {"hypotheses", "checkpoint"}:
        return _texts(facts, run)
    told = (effect.message if effect and effect.message else "its effect was not measured").rstrip(".")
    wrong = effect is not None and (effect.code or "").startswith(("adapter.", "training."))
    findings, stages = Findings(), list(STAGES)
    if wrong and effect is not None and effect.file is not None:
        # The files could be read: what stopped the measure_effect is the load; the cause comes with the code of the facts.
        findings.checks += file_stage(facts, run, effect).checks
        stages = stages[1:]
    for stage in stages:
        status: CheckStatus = "fail" if wrong and stage == stages[0] else "unknown"
        why = (
            f"{run}: {told}." if stage == stages[0] or not wrong else f"{run} did not get so far: see the stage below."
        )
        findings.add(stage_answer(facts, run, stage, Answer(status, why)))
    return findings


def _texts(facts: StudyFacts, run: str) -> Findings:
    """What a run without an adapter of its own shows: hypotheses that differ from the baseline's."""
    changed, looked_at = changed_texts(facts, run)
    evidence = [facts.path(layout.PAIRED, run=run, manifest=m) for r, m in facts.paired if r == run]
    told = f"{changed:,} of {count(looked_at, 'hypothesis', 'hypotheses')} of {run} differ from the baseline's"
    if changed or not looked_at:
        status: CheckStatus = "pass" if changed else "unknown"
        return found("adapter.text", Answer(status, f"{told}.", changed), evidence, run)
    broken = cause("adapter.no_text_change", f"{told}.", evidence, run, remedy=_look_for_the_tuning(facts, run))
    return found("adapter.text", Answer("fail", f"{told}.", changed, cause=broken), evidence, run)


def _look_for_the_tuning(facts: StudyFacts, run: str) -> str:
    """What a person can look at who holds nothing but two files (or two models) that say the same."""
    if facts.config.kind(run) == "checkpoint":
        return f"Make sure that {run} is the tuned model and not a copy of its base; if it is, it was tuned too weakly."
    return f"Make sure that {run} and base are two files of two runs, and that the pipeline loaded what was tuned."


def adapter_change(facts: StudyFacts, findings: Findings) -> Findings:
    """The criterion: the stages of the gate run, from its file to the texts, as `findings` of that run hold them."""
    run = facts.config.gate_run
    if run is None:
        answer = Answer("unknown", "There is no candidate, so nothing shows that tuning takes effect.")
        return found("adapter_change", answer, [])
    evidence = [facts.path(layout.EFFECT, run=run)]
    own = [c for c in findings.checks if c.run == run and c.id in STAGES]
    blocking = [c for c in findings.causes if c.run == run and c.severity == "blocks"]
    blocking = [c for c in blocking if c.code.startswith(("adapter.", "training."))]
    blocking.sort(key=lambda c: RANK[c.code])
    effect = facts.effect.get(run)
    norm: float | str | None = effect.median_relative_norm if effect else None
    least: float | None = facts.config.adapter.min_relative_norm
    if facts.config.kind(run) == "hypotheses":
        # Texts are all there is of this adapter: a share of the weights' norm is no measure of them.
        norm, least = next((check.value for check in own if check.id == "adapter.text"), None), None
    status = worst(check.status for check in own)
    if blocking:
        return found("adapter_change", Answer("fail", because(blocking[0]), norm, least), evidence, run)
    telling = next((check.summary for check in own if check.status == status and status != "pass"), None)
    if status == "pass":
        telling = " ".join(check.summary or "" for check in own if check.id in {"adapter.weights", "adapter.text"})
    answer = Answer(status, telling or f"The effect of {run} was not measured.", norm, least)
    return found("adapter_change", answer, evidence, run)
