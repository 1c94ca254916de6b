"""The lower stages of the effect ladder, one check each: file and load; and which parts of the model are adapted."""

from __future__ import annotations

from lora import layout
from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import CauseResult, Findings
from lora.diagnosis.transitional import Answer, cause, found
from lora.formatting import count, listed, number
from lora.records.effect import EffectFacts, LoadStage
from lora.records.verdict import CheckStatus

# Relative size below which a delta is rounding: DoRA and initialisations that change the base never give exactly zero.
ROUNDING = 1e-6
# Initialisations whose adapter changes nothing once lora_B is zero; all others take a part out of the base weights.
ZERO_PRODUCTS = {"true", "false", "gaussian", "orthogonal", "eva"}
# How far from once the estimate may lie of how often a delta is in the base weights.
MERGED_ONCE = 0.3
DECODER = {"decoder_self", "cross", "mlp"}
KNOWN_BY = {
    "hash": "by its hash the base is the one it was trained on",
    "revision": "by its revision the base is the one it was trained on",
    "shape": "it fits the base by shape",
}
UNPROVEN = {
    "shape": "nothing records which base model it was trained on, but it fits by shape",
    None: "nothing records which base model it was trained on",
}
DIFFERS_BY = {
    "hash": "their hashes differ",
    "revision": "their revisions differ",
    "shape": "its tensors have other shapes",
}


def stage_answer(facts: StudyFacts, run: str, id: str, answer: Answer) -> Findings:
    return found(id, answer, [facts.path(layout.EFFECT, run=run)], run)


def stage_cause(facts: StudyFacts, code: str, because: str, run: str, remedy: str | None = None) -> CauseResult:
    return cause(code, because, [facts.path(layout.EFFECT, run=run)], run, remedy=remedy)


def file_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 1: the files can be read, hold finite numbers, and not every lora_B is zero."""
    file = effect.file
    if file is None:
        return stage_answer(facts, run, "adapter.file", Answer("unknown", f"The files of {run} were not read."))
    if not file.finite:
        named = f" ({listed(file.non_finite, most=2)})" if file.non_finite else ""
        because = f"Tensors of the adapter {run} hold values that are not finite{named}."
        broken = stage_cause(facts, "adapter.not_finite", because, run)
        return stage_answer(facts, run, "adapter.file", Answer("fail", because, cause=broken))
    alive = file.lora_b - file.lora_b_zero
    told = f"{alive} of {count(file.lora_b, 'lora_B matrix', 'lora_B matrices')} of {run} differ from zero"
    status: CheckStatus = "warn" if file.lora_b_zero else "pass"
    if file.lora_b and not alive:
        because = f"All {file.lora_b} lora_B matrices of {run} are exactly zero"
        if not _changes_all_the_same(effect):
            broken = stage_cause(facts, "adapter.zero_delta", f"{because}.", run)
            return stage_answer(facts, run, "adapter.file", Answer("fail", f"{because}.", alive, file.lora_b, broken))
        told = f"{because}; what changes the model is beside them"
    summary = f"{told} (rank {file.rank}, alpha {number(file.alpha)})"
    strange = {
        "without their partner (lora_A or lora_B)": file.unpaired,
        "of another rank than configured": file.other_ranks,
    }
    summary += "".join(f"; {count(len(m), 'module')} {what}: {listed(m, most=1)}" for what, m in strange.items() if m)
    if file.undeclared:
        beside = count(len(file.undeclared), "tensor")
        summary += f"; {beside} that its configuration does not name: {listed(file.undeclared, most=1)}"
    if file.unpaired or file.other_ranks or file.undeclared:
        status = "warn"
    return stage_answer(facts, run, "adapter.file", Answer(status, f"{summary}.", alive, file.lora_b))


def _changes_all_the_same(effect: EffectFacts) -> bool:
    """Whether the model changes although lora_B is zero: biases, modules saved whole, magnitudes, a reduced base."""
    if effect.load is not None and effect.load.other_tensors_changed:
        return True
    plain = effect.file is None or ("DoRA" not in effect.file.variant and effect.file.initialisation in ZERO_PRODUCTS)
    return not plain and any((module.relative_norm or 0.0) > ROUNDING for module in effect.weights or [])


def load_stage(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Rung 2: on the base it was trained on, every tensor in the model and every place filled, and switched on."""
    load = effect.load
    if load is None:
        return stage_answer(facts, run, "adapter.load", Answer("unknown", f"{run} was not loaded."))
    told = f"{load.tensors_loaded} of {count(load.tensors_in_file, 'tensor')} of {run} are in the model"
    values = (load.tensors_loaded, load.tensors_in_file)
    broken = _broken_load(facts, run, load, told)
    if broken is not None:
        return stage_answer(facts, run, "adapter.load", Answer("fail", broken.because or "", *values, broken))
    base = (
        KNOWN_BY[load.base_evidence or "shape"]
        if load.base_matches
        else UNPROVEN.get(load.base_evidence, UNPROVEN[None])
    )
    summary = f"{told}; {base}"
    elsewhere = _other_hub_model(facts, run, load)
    if elsewhere:
        summary += f", and it names {load.base_trained_on} while the study's model is {elsewhere}"
    if load.model_folder_adapter:
        summary += (
            "; the model's own folder holds an adapter_config.json, so that other programs would load that adapter into"
            " the base unasked (here it was left out)"
        )
    status: CheckStatus = "warn" if elsewhere or load.model_folder_adapter else "pass"
    return stage_answer(facts, run, "adapter.load", Answer(status, f"{summary}.", *values))


def _broken_load(facts: StudyFacts, run: str, load: LoadStage, told: str) -> CauseResult | None:
    if not sum(load.modules_by_group.values()):
        return stage_cause(facts, "adapter.no_target_modules", f"{run} adapts no module of the model.", run)
    if load.base_matches is not True and _merged_before(load):
        because = (
            f"The model's weights hold the change of {run} already (estimated {load.merged_share:.2f} times): it was "
            "merged into this model, and loading it again applies it twice."
        )
        remedy = (
            "Name the base model as it was before merging in model.id, or judge the merged model as a `checkpoint`."
        )
        return stage_cause(facts, "adapter.base_mismatch", because, run, remedy)
    if load.base_matches is False or _trained_elsewhere(facts, run):
        trained_on = f" (trained on {load.base_trained_on})" if load.base_trained_on else ""
        by = DIFFERS_BY["hash" if load.base_matches is not False else load.base_evidence or "hash"]
        because = f"The model that {run} is loaded into is not the one it was trained on{trained_on}: {by}."
        return stage_cause(facts, "adapter.base_mismatch", because, run)
    if load.tensors_loaded < load.tensors_in_file or load.missing_keys or load.unexpected_keys:
        return stage_cause(facts, "adapter.not_loaded", f"{told}{_unmatched(load)}.", run)
    if not load.active:
        return stage_cause(facts, "adapter.bypassed", f"{told}, but the adapter is not active.", run)
    if load.merged_adapters or len(load.active_adapters) > 1:
        others = listed(load.merged_adapters or load.active_adapters)
        how = "merged into the weights" if load.merged_adapters else "active together"
        because = f"{told}, yet it is not alone: adapters {others} are {how}."
        return stage_cause(facts, "adapter.base_mismatch", because, run)
    return None


def _merged_before(load: LoadStage) -> bool:
    return load.merged_share is not None and abs(load.merged_share - 1) <= MERGED_ONCE


def _other_hub_model(facts: StudyFacts, run: str, load: LoadStage) -> str | None:
    """The study's hub model where the adapter names another one; folders may hold anything and prove nothing."""
    model = next((s.model for (r, _), s in facts.settings.items() if r == run and s.model is not None), None)
    if load.base_matches or model is None or model.revision is None or not load.base_trained_on:
        return None
    named = load.base_trained_on.lower()
    return model.id if named.count("/") == 1 and named != model.id.lower() else None


def _unmatched(load: LoadStage) -> str:
    """The first names that only the file or only the model holds, and what stands where the file holds nothing."""
    sides = {
        "only the file holds": load.unexpected_keys,
        "another shape has": load.shape_mismatches,
        "only the model expects": [name for name in load.missing_keys if name not in load.shape_mismatches],
    }
    told = "".join(f"; {side} {listed(keys, most=1)}" for side, keys in sides.items() if keys)
    random, zero = len(load.missing_random), len(load.missing_zero)
    if random or zero:
        told += f"; {random} LoRA matrices stayed at random values and {zero} at zero"
    return told


def _trained_elsewhere(facts: StudyFacts, run: str) -> bool:
    """The hash recorded by our trainer against the model that transcribed."""
    trained = facts.training[run].base_model_hash if run in facts.training else None
    models = {s.model.hash for (r, _), s in facts.settings.items() if r == run and s.model is not None}
    return trained is not None and bool(models) and trained not in models


def partial_targets(facts: StudyFacts, run: str, effect: EffectFacts) -> Findings:
    """Encoder and decoder are both adapted, and every adapted module changed."""
    load, file = effect.load, effect.file
    if load is None:
        return Findings()
    parts = load.modules_by_group
    encoder = parts.get("encoder", 0)
    decoder = sum(parts.get(part, 0) for part in DECODER)
    because = None
    if bool(encoder) != bool(decoder):
        adapted, bare = ("encoder", "decoder") if encoder else ("decoder", "encoder")
        because = f"{run} adapts {count(encoder or decoder, 'module')} of the {adapted} and none of the {bare}."
        if _left_out_on_purpose(facts, run, {"encoder"} if bare == "encoder" else DECODER):
            summary = f"{because.removesuffix('.')}, as its target_parts ask."
            return stage_answer(facts, run, "adapter.targets", Answer("pass", summary, encoder + decoder))
    elif file is not None and 0 < file.lora_b_zero < file.lora_b:
        because = f"{file.lora_b_zero} of {file.lora_b} adapted modules of {run} never changed (lora_B is zero)."
    if because is None:
        summary = f"{run} adapts encoder ({count(encoder, 'module')}) and decoder ({decoder})."
        return stage_answer(facts, run, "adapter.targets", Answer("pass", summary, encoder + decoder))
    broken = stage_cause(facts, "adapter.partial_targets", because, run)
    return stage_answer(facts, run, "adapter.targets", Answer("warn", because, encoder + decoder, None, broken))


def _left_out_on_purpose(facts: StudyFacts, run: str, parts: set[str]) -> bool:
    """Whether the training named parts of the model to adapt, and none of these."""
    chosen = facts.training[run].settings.get("target_parts") if run in facts.training else None
    return isinstance(chosen, list) and not parts & set(chosen)
