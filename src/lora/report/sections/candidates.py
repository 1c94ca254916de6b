"""D3: every candidate: how it was trained, what its adapter or checkpoint changes, and what that does to the WER."""

from __future__ import annotations

import statistics
from collections import Counter

from lora import layout
from lora.formatting import (
    UNKNOWN,
    count,
    listed,
    module_group,
    number,
    outcome_words,
    percent,
    percent_range,
    signed_points,
)
from lora.records.effect import CheckpointStage, EffectFacts
from lora.records.training import TrainFacts
from lora.report.markdown import code, table, text
from lora.report.sections.adapter import adapter_stages
from lora.report.study import Study

HEADING = "## D3 · Adapter"
KINDS = ("train", "adapter", "checkpoint", "hypotheses")
MATRIX = ("weight matrix", "weight matrices")


def candidates(study: Study) -> str:
    if not study.candidates:
        return f"{HEADING}\n\nNo candidate is configured, so there is no adapter to check."
    return "\n\n".join([HEADING, *(_candidate(study, run) for run in study.candidates)])


def adapter_table(study: Study, run: str) -> str:
    """The stages from the adapter's file to the hypotheses of a run, for the plan document."""
    effect = study.effect(run).value
    if effect is None or effect.checkpoint is not None:
        return _candidate(study, run).partition("\n\n")[2]
    return table(["stage", "result"], [[stage, result or UNKNOWN] for stage, result in adapter_stages(effect)])


def _candidate(study: Study, run: str) -> str:
    configured = study.setting("candidates", run) or {}
    kind = next((kind for kind in KINDS if kind in configured), "train")
    parts = [f"### Run {code(run)}"]
    if kind == "hypotheses":
        parts.append("Only the transcripts of this candidate were imported, so there is no adapter to check.")
    elif kind == "checkpoint":
        parts.append(_checkpoint(study, run))
    else:
        if study.exists(layout.TRAINING, run=run) or kind == "train":
            parts.append(_training(study, run))
        parts.append(_adapter(study, run))
    return "\n\n".join(parts)


def _training(study: Study, run: str) -> str:
    """How the candidate was trained, as far as it is recorded."""
    found = study.training(run)
    facts = found.value
    if facts is None:
        return f"The training is {found.unknown}."
    if facts.source == "":
        return "It was trained elsewhere, and its training is not recorded (`trainer_state.json` would record it)."
    if facts.unreadable is not None:
        return f"It was trained elsewhere, and the record of its training cannot be read: {text(facts.unreadable)}."
    parts = []
    if facts.source is not None:
        parts.append(f"It was trained elsewhere; its training is recorded in {code(facts.source)}.")
    if not found.known:
        failure = "Training produced no adapter" if facts.source is None else "Training failed"
        parts.append(f"**{failure}**: {found.reason}.")
    parts.append(table(["training", "value"], _training_rows(facts)))
    if study.exists(layout.LOSS, run=run):
        parts.append(f"![Training and validation loss](plots/loss.{run}.png)")
    return "\n\n".join(parts)


def _training_rows(facts: TrainFacts) -> list[list[str]]:
    settings = ", ".join(f"{text(key)} {text(value)}" for key, value in facts.settings.items())
    rows = [
        ["settings", settings or ("defaults" if facts.source is None else UNKNOWN)],
        ["rows", f"{_count(facts.train_rows)} training, {_count(facts.val_rows)} validation"],
        ["optimiser steps", f"{_count(facts.optimizer_steps)} of {_count(facts.planned_steps)} planned"],
        [
            "trainable parameters",
            f"{_count(facts.trainable_parameters)} of {_count(facts.total_parameters)} in "
            f"{_count(facts.target_modules)} modules",
        ],
    ]
    if facts.adapted:
        rows.append(["adapted modules", _adapted_modules(facts)])
    if facts.fully_trained:
        rows.append(["fully trained", listed([code(name) for name in facts.fully_trained], 4)])
    rows += [
        ["peak learning rate", number(facts.learning_rate_peak)],
        ["median gradient norm", number(facts.gradient_norm_median)],
        ["training loss, first to last tenth", f"{number(facts.first_train_loss)} → {number(facts.final_train_loss)}"],
    ]
    validation = [point for point in facts.validation if point.loss is not None]
    if validation:
        rows.append(["validation loss, first to last", f"{number(validation[0].loss)} → {number(validation[-1].loss)}"])
    if facts.best_step is not None:
        best = next((point for point in validation if point.step == facts.best_step), None)
        kept = {True: "kept", False: "**not kept**", None: "not recorded whether it was kept"}[facts.best_kept]
        loss = number(best.loss if best else None)
        rows.append(["best step", f"{facts.best_step:,} (validation loss {loss}), {kept}"])
    changes = [change.lora_a for change in facts.changes if change.lora_a is not None]
    if changes:
        moved = sum(1 for change in facts.changes if change.delta or change.lora_a)
        median = percent(statistics.median(changes))
        modules = count(len(facts.changes), "module")
        rows.append(["changed by training", f"{moved:,} of {modules}; lora_A by a median of {median} of its norm"])
    if facts.non_finite_step is not None:
        rows.append(["loss not finite", f"at step {facts.non_finite_step:,}"])
    if facts.zero_gradient_modules:
        rows.append(["modules without gradient", listed([code(name) for name in facts.zero_gradient_modules], 5)])
    if facts.other_trainable:
        rows.append(["trainable but not saved", listed([code(name) for name in facts.other_trainable], 5)])
    return rows


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _adapted_modules(facts: TrainFacts) -> str:
    """`cross-attention 8 (k_proj, q_proj), decoder MLP 4 (fc1, fc2)`: number per group, and last names."""
    groups = facts.adapted.items()
    return ", ".join(
        f"{text(module_group(group))} {sum(names.values()):,} ({', '.join(map(text, names))})"
        for group, names in groups
    )


def _adapter(study: Study, run: str) -> str:
    """Every stage from the adapter's file to the WER."""
    found = study.effect(run)
    effect = found.value
    if effect is None:
        return f"The effect of the adapter is {found.unknown}."
    stages = [[stage, result or found.unknown] for stage, result in adapter_stages(effect)]
    rows = [*stages, *([f"6 · WER on {code(manifest)}", result] for manifest, result in _wer_changes(study, run))]
    parts = ["From the adapter's file to the WER:", table(["stage", "result"], rows)]
    if effect.weights:
        parts.append(f"![Relative size of the weight change per module](plots/weights.{run}.png)")
    return "\n\n".join(parts)


def _checkpoint(study: Study, run: str) -> str:
    """A full model: its tensors, how far they differ from the base model's, and the WER."""
    found = study.effect(run)
    effect = found.value
    stage = effect.checkpoint if effect else None
    if effect is None or stage is None:
        return f"This candidate is a full checkpoint. How its weights differ from the base model's is {found.unknown}."
    rows = [["tensors", _tensors(stage)], ["weights", _weights(effect)]]
    rows += [[f"WER on {code(manifest)}", result] for manifest, result in _wer_changes(study, run)]
    title = "This candidate is a full checkpoint; its weights were compared with those of the base model:"
    parts = [title, table(["stage", "result"], rows)]
    if effect.weights:
        parts.append(f"![Relative size of the weight change per weight matrix](plots/weights.{run}.png)")
    return "\n\n".join(parts)


def _tensors(stage: CheckpointStage) -> str:
    parts = [
        f"{stage.shared:,} of {stage.tensors:,} tensors have the name and shape of one of the base model",
        f"{len(stage.changed):,} of them differ" if stage.changed else "**none of them differs**",
    ]
    if stage.rounded:
        parts.append(f"{stage.rounded:,} differ only by rounding to another number format")
    for names, problem in (
        (stage.unmerged, "of an adapter that was not merged"),
        (stage.non_finite, "not finite"),
        (stage.reshaped, "of another shape"),
        (stage.only_base, "only in the base model"),
        (stage.only_tuned, "only in the checkpoint"),
    ):
        if names:
            examples = listed([code(name) for name in names])
            parts.append(f"**{count(len(names), 'tensor')} {problem}**: {examples}")
    if stage.other_files:
        parts.append(f"files that differ from the base model's: {listed([code(f) for f in stage.other_files], 5)}")
    if stage.base_tokenizer:
        parts.append("saved without a tokenizer: the base model's is used")
    return "; ".join(parts)


def _weights(effect: EffectFacts) -> str:
    """How far the weight matrices of a checkpoint moved, by module group."""
    measured = [m for m in effect.weights or [] if m.relative_norm is not None]
    norms = sorted(m.relative_norm for m in measured if m.relative_norm)
    total = count(len(measured), *MATRIX)
    if not norms:
        return f"none of {total} changed"
    groups = Counter(m.module_group for m in measured if m.relative_norm)
    by_group = ", ".join(f"{text(module_group(group))} {n:,}" for group, n in groups.items())
    return (
        f"{len(norms):,} of {total} changed ({by_group}), by a median of {percent(effect.median_relative_norm)} of "
        f"their norm ({percent_range(norms[0], norms[-1])})"
    )


def _wer_changes(study: Study, run: str) -> list[tuple[str, str]]:
    """Manifest and change of the WER, with the outcome."""
    verdict = study.verdict.value
    outcomes = [outcome for outcome in verdict.runs if outcome.run == run] if verdict else []
    return [
        (
            o.manifest,
            UNKNOWN if o.delta is None else f"{signed_points(o.delta)}: {outcome_words(o.outcome, o.smallest_change)}",
        )
        for o in outcomes
    ]
