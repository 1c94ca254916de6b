"""The upper stages of the effect ladder: weights, logits, hypotheses, and whether every adapted module is called."""

from __future__ import annotations

import statistics

from lora.diagnosis.adapter.load import ROUNDING, stage_check
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, examples
from lora.diagnosis.headroom.baseline import has_headroom
from lora.records.effect import EffectFacts, TextStage
from lora.records.verdict import CheckStatus

# Probability below which unchanged hypotheses are no accident.
UNLIKELY = 0.001


def weights_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Stage 3: the size of the change relative to the weights it changes."""
    rules = facts.config.adapter
    median, learnt = _medians(effect)
    changed, compared = changed_texts(facts, run)
    threshold = rules.min_relative_norm
    status: CheckStatus = "warn"
    code = None
    if not effect.weights or median is None:
        status = "unknown"
        reason = "not_measurable" if effect.weights else "not_measured"
    elif nothing := _nothing_learnt(effect):
        status = "fail"
        reason = nothing
        code = "adapter.zero_delta"
    elif median > rules.max_relative_norm:
        reason = "excessive"
        code = "adapter.excessive_delta"
        threshold = rules.max_relative_norm
    elif (median if learnt is None else learnt) >= rules.min_relative_norm:
        random_size_unknown = starts_random(effect) and learnt is None
        status = "warn" if random_size_unknown else "pass"
        reason = "random_start_of_unknown_size" if random_size_unknown else "ok"
    elif changed and changed >= rules.min_changed_share * compared:
        reason = "small_but_texts_change"
    else:
        reason = "negligible"
        code = "adapter.negligible_delta"
    details = {
        "modules": len(effect.weights or []),
        "median": median,
        "learnt": learnt,
        "random_start": starts_random(effect),
        "alpha": effect.file.alpha if effect.file is not None else None,
        "min": rules.min_relative_norm,
        "max": rules.max_relative_norm,
        "changed": changed,
        "compared": compared,
    }
    result = stage_check(
        facts,
        run,
        "adapter.weights",
        status=status,
        reason=reason,
        threshold=threshold,
        details=details,
        value=None if status == "unknown" else median,
    )
    return Findings.of(result, result.cause(code) if code is not None else None)


def _medians(effect: EffectFacts) -> tuple[float | None, float | None]:
    """Medians of the relative norm and of what was learnt; modules with a scale of 0 are left out, unless all have."""
    others = [module for module in effect.weights or [] if module.scale != 0]
    if not others or len(others) == len(effect.weights or []):
        return effect.median_relative_norm, effect.median_change
    norms = [module.relative_norm for module in others if module.relative_norm is not None]
    changes = [module.change for module in others if module.change is not None]
    return (statistics.median(norms) if norms else None), (statistics.median(changes) if changes else None)


def starts_random(effect: EffectFacts) -> bool:
    """Whether a fresh adapter of this initialisation changes the model before anything is learnt."""
    return effect.file is not None and effect.file.initialisation == "false"


def _nothing_learnt(effect: EffectFacts) -> str | None:
    """Why the adapter is no more than its initialisation; None where it is more, or other tensors changed."""
    if effect.load is not None and effect.load.other_tensors_changed:
        return None
    weights = effect.weights or []
    if all(module.delta_norm == 0 for module in weights):
        return _scaled_to_zero(effect) or "zero"
    if all(module.relative_norm is not None and module.relative_norm <= ROUNDING for module in weights):
        return "zero_but_for_rounding"
    if starts_random(effect) and all(module.change == 0 for module in weights):
        return "random_start_only"
    return None


def _scaled_to_zero(effect: EffectFacts) -> str | None:
    """Whether the matrices were trained and alpha multiplies them by 0; None where it does not."""
    file = effect.file
    if file is None or file.lora_b_zero == file.lora_b:
        return None
    if file.alpha == 0 and not file.alpha_pattern:
        return "alpha_zero"
    return "alpha_pattern_zero" if 0 in file.pattern_alphas else None


def logits_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Stage 4: the same call with the adapter on and off."""
    logits = effect.logits
    if logits is None:
        return Findings.of(stage_check(facts, run, "adapter.logits", status="unknown", reason="not_measured"))
    status: CheckStatus = "pass"
    reason = "ok"
    code = None
    if not logits.argmax_flips and logits.largest_difference == 0:
        status = "fail"
        reason = "equal"
        code = "adapter.bypassed"
    elif logits.not_finite:
        status = "fail"
        reason = "not_finite"
        code = "adapter.not_finite"
    elif not logits.off_equals_base and logits.off_differs_by:
        reason = "off_differs_as_explained"
    elif not logits.off_equals_base:
        # Logits are compared with the freshly loaded base in any case; what is in doubt is the switch.
        status = "warn"
        reason = "off_differs"
    details = {
        "argmax_flips": logits.argmax_flips,
        "positions": logits.positions,
        "not_finite": logits.not_finite,
        "off_differs_by": logits.off_differs_by,
    }
    result = stage_check(
        facts, run, "adapter.logits", status=status, reason=reason, value=logits.argmax_flips, details=details
    )
    return Findings.of(result, result.cause(code) if code is not None else None)


def text_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Stage 5: adapter layers run during generation, in the tuned transcripts too, and hypotheses change."""
    text = effect.text
    least = facts.config.adapter.min_changed_share
    if text is None:
        result = stage_check(facts, run, "adapter.text", status="unknown", reason="not_measured", threshold=least)
        return Findings.of(result)
    changed, compared = changed_texts(facts, run)
    share = changed / compared if compared else 0.0
    without = [m for (r, m), s in facts.settings.items() if r == run and s.status == "ok" and s.model and not s.adapter]
    off_changed = 0 if effect.logits and effect.logits.off_differs_by else text.off_changed
    status: CheckStatus = "fail"
    code: str | None = "adapter.bypassed"
    if not text.adapter_calls:
        reason = "not_called"
    elif without:
        reason = "transcribed_without_adapter"
    elif not text.repeat_changed and compared and not changed and not _negligible(facts, effect):
        reason = "no_hypothesis_changes"
        code = "adapter.no_text_change"
    elif not text.repeat_changed and _lost_in_transcripts(facts, run, text):
        reason = "only_validation_changes"
    else:
        doubts = {
            "random_texts": text.repeat_changed,  # texts that differ between two equal calls cannot show a change
            "off_changes_texts": off_changed,
            "merging_changes_texts": text.merged_changed,
            "few_changes": share < least,
        }
        reason = next((doubt for doubt, applies in doubts.items() if applies), "ok")
        status = "pass" if reason == "ok" else "warn"
        code = None
    details = {
        "changed": changed,
        "compared": compared,
        "min_share": least,
        "adapter_calls": text.adapter_calls,
        "generates": text.generates,
        "without_adapter": without,
        "validation_changed": text.changed,
        "validation_texts": text.utterances,
        "merged_changed": text.merged_changed,
        "repeat_changed": text.repeat_changed,
        "repeated": text.repeated,
        "off_changed": off_changed,
    }
    result = stage_check(
        facts, run, "adapter.text", status=status, reason=reason, value=share, threshold=least, details=details
    )
    return Findings.of(result, result.cause(code) if code is not None else None)


def _negligible(facts: StudyFacts, effect: EffectFacts) -> bool:
    """Whether weights hardly change, which explains unchanged hypotheses."""
    median, learnt = _medians(effect)
    norm = median if learnt is None else learnt
    return norm is not None and 0 < norm < facts.config.adapter.min_relative_norm


def changed_texts(facts: StudyFacts, run: str) -> tuple[int, int]:
    """Hypotheses that differ from the base model's, and hypotheses compared: validation rows and all evaluations."""
    effect = facts.effect.get(run)
    text = effect.text if effect else None
    scores = [p.all or p.within for (r, _), p in facts.paired.items() if r == run and p.status == "ok"]
    changed = (text.changed if text else 0) + sum(s.changed_hypotheses for s in scores if s)
    return changed, (text.utterances if text else 0) + sum(s.utterances for s in scores if s)


def _lost_in_transcripts(facts: StudyFacts, run: str, text: TextStage) -> bool:
    """Whether no tuned transcript differs though, at the share of validation texts that change, some should.

    Only manifests with headroom count: texts that the base model gets right have little reason to change.
    """
    if not text.changed or changed_texts(facts, run)[0] > text.changed:
        return False
    open_to_change = [m for m in facts.config.domain if has_headroom(facts, m)]
    compared = [p.all or p.within for (r, m), p in facts.paired.items() if r == run and m in open_to_change]
    probability = (1 - text.changed / text.utterances) ** sum(score.utterances for score in compared if score)
    return probability < UNLIKELY


def called_modules(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Whether generation calls every adapted module; one that only training calls learns for nothing."""
    text = effect.text
    if text is None or not text.calls_by_module or not text.adapter_calls:
        return Findings()
    never = text.never_called
    details = {
        "modules": len(text.calls_by_module),
        "generates": text.generates,
        "never_called": examples(never),
    }
    result = stage_check(
        facts,
        run,
        "adapter.calls",
        status="warn" if never else "pass",
        reason="never_called" if never else "ok",
        value=len(never),
        threshold=0,
        details=details,
    )
    return Findings.of(result, result.cause("adapter.bypassed", severity="warns") if never else None)
