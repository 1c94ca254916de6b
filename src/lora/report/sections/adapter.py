"""D3, per candidate: its training, and the ladder from the adapter's file to the WER."""

from __future__ import annotations

import statistics
from collections import Counter

from lora import layout
from lora.formatting import UNKNOWN, count, listed, number, percent, signed_points
from lora.records.effect import EffectFacts, FileStage, ModuleDelta
from lora.report.markdown import code, table, text
from lora.report.sections.conclusion import OUTCOMES
from lora.report.sections.training import training
from lora.report.study import Study

KINDS = ("train", "adapter", "checkpoint", "hypotheses")


def adapters(study: Study) -> str:
    if not study.candidates:
        return "## D3 · Adapter\n\nNo candidate is configured, so no adapter was looked at."
    return "\n\n".join(["## D3 · Adapter", *(_candidate(study, run) for run in study.candidates)])


def _candidate(study: Study, run: str) -> str:
    candidate = study.setting("candidates", run) or {}
    kind = next((kind for kind in KINDS if kind in candidate), "train")
    parts = [f"### Run {code(run)}"]
    if kind == "checkpoint":
        parts.append(_checkpoint(study, run))
        return "\n\n".join(parts)
    if kind == "hypotheses":
        parts.append("This candidate was brought as its transcripts, so there is no adapter to look at.")
        return "\n\n".join(parts)
    if study.exists(layout.TRAINING, run=run) or kind == "train":
        parts.append(training(study, run))
    parts.append(_ladder(study, run))
    return "\n\n".join(parts)


def _ladder(study: Study, run: str) -> str:
    found = study.effect(run)
    effect = found.value
    if effect is None:
        return f"Whether the adapter changes anything is {found.unknown}."
    why = found.unknown
    rows = [
        ["1 · its file", _file(effect) or why],
        ["2 · in the model", _load(effect) or why],
        ["3 · weights", _weights(effect) or why],
        ["4 · logits", _logits(effect) or why],
        ["5 · text", _text(effect) or why],
        *([f"6 · WER on {code(manifest)}", words] for manifest, words in _wer(study, run)),
    ]
    lines = ["From the adapter's file to the WER, stage by stage:", table(["stage", "what was found"], rows)]
    if effect.weights:
        lines.append(f"![Relative size of the weight change per module](plots/weights.{run}.png)")
    return "\n\n".join(lines)


def _checkpoint(study: Study, run: str) -> str:
    """A whole model: its tensors, how far they moved, and the WER."""
    found = study.effect(run)
    stage = found.value.checkpoint if found.value else None
    if found.value is None or stage is None:
        return (
            f"This candidate was brought as a whole model. How its weights differ from the base's is {found.unknown}."
        )
    words = [
        f"{stage.shared} of {stage.tensors} tensors have the name and shape of one of the base model",
        f"{len(stage.changed)} of them differ" if stage.changed else "**none of them differs**",
    ]
    if stage.rounded:
        words.append(f"{stage.rounded} differ by rounding to another number format only")
    for names, what in (
        (stage.unmerged, "of an adapter that was not merged"),
        (stage.non_finite, "not finite"),
        (stage.reshaped, "of another shape"),
        (stage.only_base, "only in the base"),
        (stage.only_tuned, "only in the checkpoint"),
    ):
        if names:
            words.append(f"**{count(len(names), 'tensor')} {what}**: {listed(_codes(names), 3)}")
    if stage.other_files:
        words.append(f"other bytes than the base's: {listed(_codes(stage.other_files))}")
    rows = [["its tensors", "; ".join(words)], ["weights", _moved(found.value)]]
    rows += [[f"WER on {code(manifest)}", told] for manifest, told in _wer(study, run)]
    told = "This candidate was brought as a whole model, whose weights were held against the base's:"
    lines = [told, table(["what", "what was found"], rows)]
    if found.value.weights:
        lines.append(f"![Relative size of the weight change per weight matrix](plots/weights.{run}.png)")
    return "\n\n".join(lines)


def _moved(effect: EffectFacts) -> str:
    """The weight matrices of a checkpoint that differ from the base's, by part of the model."""
    known = [m for m in effect.weights or [] if m.relative_norm is not None]
    norms = sorted(m.relative_norm for m in known if m.relative_norm)
    if not norms:
        return f"none of {count(len(known), 'weight matrix', 'weight matrices')} moved"
    parts = Counter(m.module_group for m in known if m.relative_norm)
    return (
        f"{len(norms)} of {count(len(known), 'weight matrix', 'weight matrices')} moved "
        f"({', '.join(f'{text(part)} {n}' for part, n in parts.items())}), by a median of "
        f"{percent(effect.median_relative_norm)} of their norm ({percent(norms[0])} to {percent(norms[-1])})"
    )


def _file(effect: EffectFacts) -> str:
    f = effect.file
    if f is None:
        return ""
    finite = "all finite" if f.finite else f"**not all finite** ({listed(_codes(f.non_finite), 3)})"
    zero = "none of them all zero" if f.lora_b_zero == 0 else f"**{f.lora_b_zero} of them all zero**"
    patterns = [count(n, f"{what} pattern") for n, what in ((f.rank_pattern, "rank"), (f.alpha_pattern, "alpha")) if n]
    scaling = "" if f.scaling is None else f", scale {number(f.scaling)}"
    settings = [f"rank {f.rank}", f"alpha {number(f.alpha)}{scaling}", *patterns, f"bias {text(f.bias)}"]
    words = [
        f"{text(f.variant)}, {', '.join(settings)}, initialisation {text(f.initialisation)}",
        f"{f.tensors} tensors, {finite}",
        f"{f.lora_b} lora_B matrices, {zero}{_norms(f)}",
    ]
    if f.modules_to_save:
        words.append(f"modules saved whole: {listed(_codes(f.modules_to_save), 3)}")
    strange = {
        "without their partner": f.unpaired,
        "of another rank than configured": f.other_ranks,
    }
    words += [f"**{count(len(m), 'module')} {what}**: {listed(_codes(m), 3)}" for what, m in strange.items() if m]
    if f.targets_without_tensors:
        words.append(f"target names without a tensor: {listed(_codes(f.targets_without_tensors), 3)}")
    if f.undeclared:
        words.append(f"**tensors the configuration does not name**: {listed(_codes(f.undeclared), 3)}")
    return "; ".join(words)


def _norms(stage: FileStage) -> str:
    norms = stage.lora_b_norms
    if norms is None:
        return ""
    return f", norms {number(norms.low, 2)} to {number(norms.high, 2)} (median {number(norms.median, 2)})"


BASES = {
    (True, "hash"): "trained on this base model (by its hash)",
    (True, "revision"): "trained on this base model (by its revision)",
    (False, "hash"): "**trained on another base model** (hashes differ)",
    (False, "revision"): "**trained on another base model** (revisions differ)",
    (False, "shape"): "**trained on another base model** (shapes differ)",
    (None, "shape"): "base not recorded, its shapes fit",
}


def _load(effect: EffectFacts) -> str:
    stage = effect.load
    if stage is None:
        return ""
    parts = ", ".join(f"{text(part)} {n}" for part, n in stage.modules_by_group.items()) or "none"
    plain = {True: "trained on this base model", False: "**trained on another base model**", None: "base not recorded"}
    words = [
        f"{stage.tensors_loaded} of {stage.tensors_in_file} tensors found their place",
        "active" if stage.active else "**not active**",
        BASES.get((stage.base_matches, stage.base_evidence or ""), plain[stage.base_matches]),
        f"adapted modules: {parts}",
    ]
    for names, what in (
        (stage.missing_keys, "missing"),
        (stage.unexpected_keys, "unexpected"),
        (stage.shape_mismatches, "of another shape"),
    ):
        if names:
            words.append(f"**{count(len(names), 'tensor')} {what}**: {listed(_codes(names), 3)}")
    if stage.missing_random or stage.missing_zero:
        words.append(f"left at random values {len(stage.missing_random)}, at zero {len(stage.missing_zero)}")
    if stage.other_tensors_changed:
        words.append(
            f"{count(len(stage.other_tensors_changed), 'other tensor')} changed: {listed(_codes(stage.other_tensors_changed), 3)}"
        )
    if stage.merged_share is not None and not stage.base_matches:
        words.append(f"merged into the base before {stage.merged_share:.2f} times (estimate)")
    if stage.model_folder_adapter:
        words.append("**the model's folder holds an adapter of its own**, left out here")
    return "; ".join(words)


def _weights(effect: EffectFacts) -> str:
    modules = [m for m in effect.weights or [] if m.relative_norm is not None]
    if not modules:
        return "" if effect.weights is None else "no adapted module with a finite change"
    by_part: dict[str, list[ModuleDelta]] = {}
    for module in modules:
        by_part.setdefault(module.module_group, []).append(module)
    norms = sorted(m.relative_norm or 0.0 for m in modules)
    unchanged = sum(1 for norm in norms if norm == 0)
    counts = Counter({part: len(members) for part, members in by_part.items()})
    zero = f"; **{unchanged} unchanged**" if unchanged else ""
    ranks = [m.stable_rank for m in modules if m.stable_rank is not None]
    stable = f"; stable rank, median {number(statistics.median(ranks), 2)}" if ranks else ""
    return (
        f"relative size of the change, median {number(effect.median_relative_norm, 2)} "
        f"({number(norms[0], 2)} to {number(norms[-1], 2)}) over {count(len(norms), 'module')} "
        f"({', '.join(f'{text(part)} {n}' for part, n in counts.items())}){zero}{stable}{_since_start(effect)}"
    )


def _since_start(effect: EffectFacts) -> str:
    """What of the delta was learnt, where that is not all of it."""
    if effect.file is None or effect.file.initialisation != "false":
        return ""
    learnt = number(effect.median_change, 2) if effect.median_change is not None else "unknown"
    return f"; it began with random deltas, change since then: {learnt}"


def _logits(effect: EffectFacts) -> str:
    stage = effect.logits
    if stage is None:
        return ""
    off = "switched off it equals the base exactly" if stage.off_equals_base else "**switched off it is not the base**"
    if not stage.off_equals_base and stage.off_differs_by:
        told = listed([text(reason) for reason in stage.off_differs_by])
        off = f"off is the freshly loaded base, since the adapter switched off is not: {told}"
    broken = f"; **{percent(stage.not_finite)} are not finite**" if stage.not_finite else ""
    return (
        f"{percent(stage.argmax_flips)} of {stage.positions:,} most likely tokens change, KL {number(stage.kl_mean)} nats "
        f"a token ({count(stage.utterances, 'utterance')}); {off}{broken}"
    )


def _text(effect: EffectFacts) -> str:
    stage = effect.text
    if stage is None:
        return ""
    words = [
        f"{stage.changed} of {count(stage.utterances, 'hypothesis', 'hypotheses')} change",
        f"adapter layers ran {stage.adapter_calls:,} times {stage.inside} with the adapter on and "
        f"{stage.adapter_calls_off:,} times with it off",
    ]
    if stage.never_called:
        words.append(
            f"**{count(len(stage.never_called), 'module')} never called**: {listed(_codes(stage.never_called), 3)}"
        )
    if stage.merged_changed is not None:
        half = "" if stage.merged_changed_bf16 is None else f" ({stage.merged_changed_bf16} where both are in bfloat16)"
        words.append(f"merged into the weights {stage.merged_changed} differ from unmerged{half}")
    if stage.off_changed:
        words.append(f"switched off {stage.off_changed} differ from the base's")
    if stage.repeat_changed:
        words.append(f"**{stage.repeat_changed} of {stage.repeated} differ between two equal calls**")
    return "; ".join(words)


def _wer(study: Study, run: str) -> list[tuple[str, str]]:
    verdict = study.verdict.value
    outcomes = [o for o in verdict.runs if o.run == run] if verdict else []
    return [
        (
            o.manifest,
            f"{signed_points(o.delta)}: {OUTCOMES.get(o.outcome or '', UNKNOWN)}" if o.delta is not None else UNKNOWN,
        )
        for o in outcomes
    ]


def _codes(names: list[str]) -> list[str]:
    return [code(name) for name in names]
