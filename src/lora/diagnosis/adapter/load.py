"""The lower stages of the effect ladder: adapter files, loading into the base model, and which modules are adapted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CheckResult, Findings, check, examples
from lora.records.effect import EffectFacts, LoadStage
from lora.records.verdict import CheckStatus

# Relative size below which a delta is rounding: DoRA and initialisations that change the base never give exactly zero.
ROUNDING = 1e-6
# Initialisations whose adapter changes nothing once lora_B is zero; all others move a part of the base weights.
ZERO_PRODUCTS = {"true", "false", "gaussian", "orthogonal", "eva"}
# Tolerance around 1 of the estimate how often a delta was merged into the base weights.
MERGED_ONCE = 0.3
# Words of model names that no two models share by accident. `base` is a size too, but also a word of folder names.
SIZE_OR_VERSION = re.compile(r"tiny|small|medium|large|turbo|distil|en|v\d+|\d+[bm]")
DECODER = {"decoder_self", "cross", "mlp"}


def stage_check(
    facts: StudyFacts,
    run: str,
    stage: str,
    *,
    status: CheckStatus,
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    details: Mapping[str, Any] | None = None,
) -> CheckResult:
    """A check on the effect facts of a run, which are its evidence."""
    return check(
        stage,
        status=status,
        reason=reason,
        evidence=[facts.path(layout.EFFECT, run=run)],
        value=value,
        threshold=threshold,
        details=details,
        run=run,
    )


def file_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Stage 1: the files can be read, all values are finite, and some lora_B is not zero."""
    file = effect.file
    if file is None:
        return Findings.of(stage_check(facts, run, "adapter.file", status="unknown", reason="not_read"))
    if not file.finite:
        result = stage_check(
            facts,
            run,
            "adapter.file",
            status="fail",
            reason="overflowed" if file.overflowed else "not_finite",
            details={"tensors": examples(file.non_finite)},
        )
        return Findings.of(result, result.cause("adapter.not_finite"))
    nonzero = file.lora_b - file.lora_b_zero
    all_zero = bool(file.lora_b) and not nonzero
    inconsistent = bool(file.unpaired or file.other_ranks or file.undeclared)
    status: CheckStatus = "warn" if file.lora_b_zero or inconsistent else "pass"
    reason = "some_zero" if file.lora_b_zero else "ok"
    if inconsistent:
        reason = "inconsistent"
    if all_zero:
        reason = "other_weights_changed"
    if all_zero and not _changes_without_lora_b(effect):
        status = "fail"
        reason = "all_zero"
    details = {
        "lora_b": file.lora_b,
        "nonzero": nonzero,
        "rank": file.rank,
        "alpha": file.alpha,
        "unpaired": examples(file.unpaired),
        "other_ranks": examples(file.other_ranks),
        "undeclared": examples(file.undeclared),
    }
    result = stage_check(
        facts,
        run,
        "adapter.file",
        status=status,
        reason=reason,
        value=nonzero,
        threshold=file.lora_b,
        details=details,
    )
    return Findings.of(result, result.cause("adapter.zero_delta") if status == "fail" else None)


def _changes_without_lora_b(effect: EffectFacts) -> bool:
    """Whether the model changes although lora_B is zero: biases, modules saved whole, magnitudes, a reduced base."""
    if effect.load is not None and effect.load.other_tensors_changed:
        return True
    plain = effect.file is None or ("DoRA" not in effect.file.variant and effect.file.initialisation in ZERO_PRODUCTS)
    return not plain and any((module.relative_norm or 0.0) > ROUNDING for module in effect.weights or [])


def load_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Stage 2: the base is the one trained on, all tensors are in the model, and the adapter is switched on."""
    load = effect.load
    if load is None:
        return Findings.of(stage_check(facts, run, "adapter.load", status="unknown", reason="not_measured"))
    other_model = _other_named_model(facts, run, load)
    status: CheckStatus = "pass"
    fault = _load_fault(facts, run, load)
    reason = "ok"
    code = None
    if fault is not None:
        status = "fail"
        code, reason = fault
    elif other_model is not None:
        status = "warn"
        reason = "other_model_named"
    elif load.model_folder_adapter:
        status = "warn"
        reason = "adapter_in_model_folder"
    details = {
        "tensors_loaded": load.tensors_loaded,
        "tensors_in_file": load.tensors_in_file,
        "base_matches": load.base_matches,
        "base_evidence": load.base_evidence,
        "base_trained_on": load.base_trained_on,
        "study_model": other_model,
        "adapter_in_model_folder": load.model_folder_adapter,
        "merged_share": load.merged_share,
        "only_in_file": examples(load.unexpected_keys),
        "other_shape": examples(load.shape_mismatches),
        "only_in_model": examples([name for name in load.missing_keys if name not in load.shape_mismatches]),
        "resized": examples(load.resized),
        "added_tokens": load.added_tokens,
        "left_random": len(load.missing_random),
        "left_zero": len(load.missing_zero),
        "merged_adapters": load.merged_adapters,
        "active_adapters": load.active_adapters,
    }
    result = stage_check(
        facts,
        run,
        "adapter.load",
        status=status,
        reason=reason,
        value=load.tensors_loaded,
        threshold=load.tensors_in_file,
        details=details,
    )
    return Findings.of(result, result.cause(code) if code is not None else None)


def _load_fault(facts: StudyFacts, run: str, load: LoadStage) -> tuple[str, str] | None:
    """Cause code and reason of the first fault of loading; None where there is none."""
    if not sum(load.modules_by_group.values()):
        return "adapter.no_target_modules", "no_modules"
    if load.base_matches is not True and load.merged_share is not None and abs(load.merged_share - 1) <= MERGED_ONCE:
        return "adapter.base_mismatch", "merged_before"
    if load.base_matches is False:
        return "adapter.base_mismatch", "other_base"
    if _trained_elsewhere(facts, run):
        return "adapter.base_mismatch", "other_base_hash"
    if load.resized and set(load.resized) == set(load.shape_mismatches):
        return "adapter.not_loaded", "resized_vocabulary"
    absent = set(load.missing_keys) - set(load.shape_mismatches)
    if absent and load.tensors_loaded == load.tensors_in_file and not load.unexpected_keys:
        return "adapter.not_loaded", "tensors_missing"
    if load.tensors_loaded < load.tensors_in_file or load.missing_keys or load.unexpected_keys:
        return "adapter.not_loaded", "tensors_unmatched"
    if not load.active:
        return "adapter.bypassed", "inactive"
    if load.merged_adapters:
        return "adapter.base_mismatch", "other_adapters_merged"
    if len(load.active_adapters) > 1:
        return "adapter.base_mismatch", "several_adapters_active"
    return None


def _other_named_model(facts: StudyFacts, run: str, load: LoadStage) -> str | None:
    """The study's model where the adapter names another one; None where names agree or prove nothing.

    Names of folders are compared by their last part. A folder may have any name, so it counts only if it has words in
    common with the name in the adapter and then contradicts it (`whisper-large-v3` against `openai/whisper-large-v2`).
    """
    model = next((s.model for (r, _), s in facts.settings.items() if r == run and s.model is not None), None)
    if load.base_matches or model is None or not load.base_trained_on:
        return None
    named = load.base_trained_on.lower()
    if model.revision is not None and named.count("/") == 1:
        return model.id if named != model.id.lower() else None
    theirs = name_parts(named)
    ours = name_parts(model.id)
    return model.id if names_differ(theirs, ours) else None


def name_parts(name: str) -> set[str]:
    """Words and numbers of a model's name, owner and folders aside."""
    last = re.split(r"[/\\]", name.lower().rstrip("/\\"))[-1]
    return set(re.split(r"[-_. ]+", last)) - {"", "model"}


def names_differ(theirs: set[str], ours: set[str]) -> bool:
    """Whether two names with words in common are of different models.

    A size or version that only our name has shows it, while other words of ours (`mine`, `finetuned`) do not. Words
    that only their name has show it if ours is as specific: the folder `whisper` may contain `whisper-tiny`.
    """
    common = theirs & ours
    only_ours = ours - theirs
    only_theirs = theirs - ours
    if not common:
        return False
    specific = bool(only_ours) or any(SIZE_OR_VERSION.fullmatch(word) or word == "base" for word in common)
    return any(SIZE_OR_VERSION.fullmatch(word) for word in only_ours) or (bool(only_theirs) and specific)


def _trained_elsewhere(facts: StudyFacts, run: str) -> bool:
    """Whether the base model hash recorded by our trainer is not that of the model that transcribed."""
    trained = facts.training[run].base_model_hash if run in facts.training else None
    models = {s.model.hash for (r, _), s in facts.settings.items() if r == run and s.model is not None}
    return trained is not None and bool(models) and trained not in models
