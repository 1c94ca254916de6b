"""The effect of a tuned checkpoint: whether it is a model of the base's kind, and how far its weights moved."""

from __future__ import annotations

from collections import Counter

from lora.diagnosis.adapter.effect import changed_texts
from lora.diagnosis.adapter.load import stage_check
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import Findings, examples
from lora.records.effect import CheckpointStage, EffectFacts
from lora.records.verdict import CheckStatus

# A smaller share of tensors with a common name and shape means another architecture.
SAME_KIND = 0.5
TOKENIZER = {"tokenizer.json", "vocab.json", "tokenizer.model", "merges.txt", "added_tokens.json"}


def checkpoint_stages(facts: StudyFacts, run: str, effect: EffectFacts, stage: CheckpointStage) -> Findings:
    """Compare the tensors (`adapter.load`) and measure how far they moved (`adapter.weights`)."""
    return _tensors(facts, run, stage).add(_weights(facts, run, effect, stage))


def _tensors(facts: StudyFacts, run: str, stage: CheckpointStage) -> Findings:
    status: CheckStatus = "fail"
    code: str | None = "adapter.base_mismatch"
    if stage.unmerged:
        reason = "unmerged_adapter"
        code = "adapter.not_loaded"
    elif stage.base_type != stage.tuned_type:
        reason = "other_model_type"
    elif stage.shared < SAME_KIND * stage.tensors:
        reason = "other_architecture"
    elif stage.non_finite:
        reason = "tensors_not_finite"
        code = "adapter.not_finite"
    else:
        other_tensors = bool(stage.reshaped or stage.only_base or stage.only_tuned)
        other_tokenizer = bool(TOKENIZER & set(stage.other_files))
        reason = "other_tensors" if other_tensors else "other_tokenizer" if other_tokenizer else "tensors_match"
        status = "pass" if reason == "tensors_match" else "warn"
        code = None
    details = {
        "shared": stage.shared,
        "tensors": stage.tensors,
        "base_type": stage.base_type,
        "tuned_type": stage.tuned_type,
        "unmerged": examples(stage.unmerged),
        "not_finite": examples(stage.non_finite),
        "reshaped": examples(stage.reshaped),
        "only_base": examples(stage.only_base),
        "only_tuned": examples(stage.only_tuned),
        "other_files": stage.other_files,
        "base_tokenizer": stage.base_tokenizer,
    }
    result = stage_check(
        facts,
        run,
        "adapter.load",
        status=status,
        reason=reason,
        value=stage.shared,
        threshold=stage.tensors,
        details=details,
    )
    return Findings.of(result, result.cause(code) if code is not None else None)


def _weights(facts: StudyFacts, run: str, effect: EffectFacts, stage: CheckpointStage) -> Findings:
    rules = facts.config.adapter
    median = effect.median_relative_norm
    changed, compared = changed_texts(facts, run)
    value = median
    threshold = rules.min_relative_norm
    status: CheckStatus = "warn"
    code = None
    if not stage.shared:
        status = "unknown"
        reason = "no_tensor_compared"
        value = None
    elif not (stage.changed or stage.reshaped or stage.only_tuned):
        status = "fail"
        reason = "no_tensor_changed"
        code = "adapter.zero_delta"
        value = 0.0
    elif median is None:
        reason = "no_matrix_changed"
    elif median > rules.max_relative_norm:
        reason = "tensors_overwritten"
        code = "adapter.excessive_delta"
        threshold = rules.max_relative_norm
    elif median >= rules.min_relative_norm or (changed and changed >= rules.min_changed_share * compared):
        status = "pass"
        reason = "tensors_changed"
    else:
        reason = "tensors_barely_changed"
        code = "adapter.negligible_delta"
    details = {
        "shared": stage.shared,
        "tensors_changed": len(stage.changed),
        "rounded": stage.rounded,
        "matrices_by_group": Counter(module.module_group for module in effect.weights or [] if module.relative_norm),
        "median": median,
        "min": rules.min_relative_norm,
        "max": rules.max_relative_norm,
        "changed": changed,
        "compared": compared,
    }
    result = stage_check(
        facts, run, "adapter.weights", status=status, reason=reason, value=value, threshold=threshold, details=details
    )
    return Findings.of(result, result.cause(code) if code is not None else None)
