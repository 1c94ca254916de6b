"""D3: the stages between an adapter's file and its hypotheses, each in one line. Names of tensors are untrusted."""

from __future__ import annotations

import statistics
from collections import Counter

from lora.formatting import UNKNOWN, count, listed, module_group, number, percent, percent_range
from lora.records.effect import EffectFacts, FileStage, LoadStage
from lora.report.markdown import code, text

BASES = {
    (True, "hash"): "trained on this base model (same hash)",
    (True, "revision"): "trained on this base model (same revision)",
    (False, "hash"): "**trained on another base model** (hashes differ)",
    (False, "revision"): "**trained on another base model** (revisions differ)",
    (False, "shape"): "**trained on another base model** (shapes differ)",
    (None, "shape"): "base model not recorded, its shapes fit",
}
MATCHES = {
    True: "trained on this base model",
    False: "**trained on another base model**",
    None: "base model not recorded",
}


def adapter_stages(effect: EffectFacts) -> list[tuple[str, str]]:
    """Name and result of each stage; the result is empty where the stage was not measured."""
    return [
        ("1 · its file", _file(effect)),
        ("2 · in the model", _load(effect)),
        ("3 · weights", _weights(effect)),
        ("4 · logits", _logits(effect)),
        ("5 · hypotheses", _hypotheses(effect)),
    ]


def _problem(names: list[str], noun: str, problem: str) -> str:
    """`**2 tensors missing**: a, b`; empty without names."""
    if not names:
        return ""
    return f"**{count(len(names), noun)} {problem}**: {_codes(names)}"


def _codes(names: list[str]) -> str:
    return listed([code(name) for name in names])


def _file(effect: EffectFacts) -> str:
    stage = effect.file
    if stage is None:
        return ""
    finite = "all finite" if stage.finite else f"**not all finite** ({_codes(stage.non_finite)})"
    zero = "none of them all zero" if stage.lora_b_zero == 0 else f"**{stage.lora_b_zero} of them all zero**"
    parts = [
        f"{text(stage.variant)}, {_settings(stage)}, `init_lora_weights` {text(stage.initialisation)}",
        f"{stage.tensors:,} tensors, {finite}",
        f"{stage.lora_b:,} lora_B matrices, {zero}{_norms(stage)}",
    ]
    if stage.modules_to_save:
        parts.append(f"modules saved in full: {_codes(stage.modules_to_save)}")
    parts += [
        _problem(stage.unpaired, "module", "with only one of lora_A and lora_B"),
        _problem(stage.other_ranks, "module", "of another rank than configured"),
    ]
    if stage.targets_without_tensors:
        parts.append(f"target names without a tensor: {_codes(stage.targets_without_tensors)}")
    parts.append(_problem(stage.undeclared, "tensor", "not named in the adapter's configuration"))
    return "; ".join(part for part in parts if part)


def _settings(stage: FileStage) -> str:
    scale = "" if stage.scaling is None else f", scale {number(stage.scaling)}"
    patterns = ((stage.rank_pattern, "rank pattern"), (stage.alpha_pattern, "alpha pattern"))
    parts = [f"rank {stage.rank}", f"alpha {number(stage.alpha)}{scale}"]
    parts += [count(n, noun) for n, noun in patterns if n]
    return ", ".join([*parts, f"bias {text(stage.bias)}"])


def _norms(stage: FileStage) -> str:
    norms = stage.lora_b_norms
    if norms is None:
        return ""
    return f", norms {number(norms.low, 2)} to {number(norms.high, 2)} (median {number(norms.median, 2)})"


def _load(effect: EffectFacts) -> str:
    stage = effect.load
    if stage is None:
        return ""
    groups = ", ".join(f"{text(module_group(group))} {n:,}" for group, n in stage.modules_by_group.items()) or "none"
    parts = [
        f"{stage.tensors_loaded:,} of {stage.tensors_in_file:,} tensors loaded",
        "active" if stage.active else "**not active**",
        BASES.get((stage.base_matches, stage.base_evidence or ""), MATCHES[stage.base_matches]),
        f"adapted modules: {groups}",
        _problem(stage.missing_keys, "tensor", "missing"),
        _problem(stage.unexpected_keys, "tensor", "unexpected"),
        _problem(stage.shape_mismatches, "tensor", "of another shape"),
        *_loaded_differently(stage),
    ]
    return "; ".join(part for part in parts if part)


def _loaded_differently(stage: LoadStage) -> list[str]:
    """What else distinguishes the loaded model from the base model plus this adapter."""
    parts = []
    if stage.missing_random or stage.missing_zero:
        parts.append(
            f"missing tensors: {len(stage.missing_random)} keep random values, {len(stage.missing_zero)} are zero"
        )
    if stage.other_tensors_changed:
        others = count(len(stage.other_tensors_changed), "other tensor")
        parts.append(f"{others} changed: {_codes(stage.other_tensors_changed)}")
    if stage.merged_share is not None and not stage.base_matches:
        parts.append(f"already merged into the base model {stage.merged_share:.2f} times (estimate)")
    if stage.model_folder_adapter:
        parts.append("**the model's folder has its own adapter**, which is not loaded here")
    return parts


def _weights(effect: EffectFacts) -> str:
    modules = [m for m in effect.weights or [] if m.relative_norm is not None]
    if not modules:
        return "" if effect.weights is None else "no adapted module has a finite change"
    norms = sorted(m.relative_norm or 0.0 for m in modules)
    groups = Counter(m.module_group for m in modules)
    by_group = ", ".join(f"{text(module_group(group))} {n:,}" for group, n in groups.items())
    parts = [
        f"median change {percent(effect.median_relative_norm)} of the norm of the base weights "
        f"({percent_range(norms[0], norms[-1])}) in {count(len(norms), 'module')} ({by_group})"
    ]
    unchanged = sum(1 for norm in norms if norm == 0)
    if unchanged:
        parts.append(f"**{unchanged} unchanged**")
    ranks = [m.stable_rank for m in modules if m.stable_rank is not None]
    if ranks:
        parts.append(f"median stable rank {number(statistics.median(ranks), 2)}")
    if effect.file is not None and effect.file.initialisation == "false":
        change = UNKNOWN if effect.median_change is None else percent(effect.median_change)
        parts.append(f"initialised with random deltas, changed since by {change}")
    return "; ".join(parts)


def _logits(effect: EffectFacts) -> str:
    stage = effect.logits
    if stage is None:
        return ""
    off = "equal to the base model when switched off"
    if not stage.off_equals_base:
        off = "**not equal to the base model when switched off**"
        if stage.off_differs_by:
            reasons = listed([text(reason) for reason in stage.off_differs_by], 5)
            off = (
                f"compared with a freshly loaded base model, because switching the adapter off is not enough: {reasons}"
            )
    parts = [
        f"{percent(stage.argmax_flips)} of {stage.positions:,} most likely tokens change, KL {number(stage.kl_mean)} "
        f"nats per token ({count(stage.utterances, 'validation utterance')})",
        off,
    ]
    if stage.not_finite:
        parts.append(f"**{percent(stage.not_finite)} are not finite**")
    return "; ".join(parts)


def _hypotheses(effect: EffectFacts) -> str:
    stage = effect.text
    if stage is None:
        return ""
    parts = [
        f"{stage.changed:,} of {count(stage.utterances, 'validation hypothesis', 'validation hypotheses')} change",
        f"adapter layers ran {stage.adapter_calls:,} times {stage.inside} with the adapter on, "
        f"{stage.adapter_calls_off:,} times with it off",
        _problem(stage.never_called, "module", "never called"),
    ]
    if stage.merged_changed is not None:
        half = ""
        if stage.merged_changed_bf16 is not None:
            half = f" ({stage.merged_changed_bf16:,} if both are in bfloat16)"
        parts.append(f"merging the adapter into the weights changes {stage.merged_changed:,}{half}")
    if stage.off_changed:
        parts.append(f"{stage.off_changed:,} differ from the base model's with the adapter off")
    if stage.repeat_changed:
        parts.append(f"**{stage.repeat_changed:,} of {stage.repeated:,} differ when decoded again**")
    return "; ".join(part for part in parts if part)
