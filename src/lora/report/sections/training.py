"""D3: what the training of a candidate was told, and what it did."""

from __future__ import annotations

import statistics

from lora import layout
from lora.formatting import UNKNOWN, count, listed, number, percent
from lora.records.tuning import TrainFacts
from lora.report.markdown import code, table, text
from lora.report.study import Study


def training(study: Study, run: str) -> str:
    """What a candidate's training was told and did, as far as it is recorded."""
    found = study.training(run)
    facts = found.value
    if facts is None:
        return f"What training did is {found.unknown}."
    if facts.source == "":
        return "It was trained elsewhere, and nothing beside it tells how (`trainer_state.json` would)."
    lines = [] if found.known else [f"**Training came to no adapter**: {found.why_not}."]
    if facts.source is not None:
        lines = [f"It was trained elsewhere, as {code(facts.source)} tells."]
        lines += [] if found.known else [f"**Training went wrong**: {found.why_not}."]
    lines.append(table(["training", "fact"], _rows(facts)))
    if study.exists(layout.LOSS, run=run):
        lines.append(f"![Training and validation loss](plots/loss.{run}.png)")
    return "\n\n".join(lines)


def _rows(facts: TrainFacts) -> list[list[str]]:
    told = ", ".join(f"{text(key)} {text(value)}" for key, value in facts.settings.items())
    validation = [point for point in facts.validation if point.loss is not None]
    best = next((p for p in validation if p.step == facts.best_step), None)
    kept = {True: "kept", False: "**not kept**", None: "unknown whether kept"}[facts.best_kept]
    rows = [
        ["settings", told or ("defaults" if facts.source is None else UNKNOWN)],
        ["rows", f"{_figure(facts.train_rows)} training, {_figure(facts.val_rows)} validation"],
        ["optimiser steps", f"{_figure(facts.optimizer_steps)} of {_figure(facts.planned_steps)} planned"],
        ["trainable parameters", f"{_figure(facts.trainable_parameters)} of {_figure(facts.total_parameters)} in "
         f"{_figure(facts.target_modules)} modules"],
        *([["adapted modules", _adapted(facts)]] if facts.adapted else []),
        *([["trained whole", listed([code(n) for n in facts.fully_trained], 4)]] if facts.fully_trained else []),
        ["learning rate at its peak", number(facts.learning_rate_peak)],
        ["gradient norm, median", number(facts.gradient_norm_median)],
        ["training loss, first to last", f"{number(facts.first_train_loss)} → {number(facts.final_train_loss)}"],
    ]  # fmt: skip
    if validation:
        rows.append(["validation loss, first to last", f"{number(validation[0].loss)} → {number(validation[-1].loss)}"])
    if facts.best_step is not None:
        rows.append(["best step", f"{facts.best_step} (validation loss {number(best.loss if best else None)}), {kept}"])
    moves = [c.lora_a for c in facts.changes if c.lora_a is not None]
    if moves:
        moved = sum(1 for c in facts.changes if c.delta or c.lora_a)
        rows.append(
            ["moved since initialisation", f"{moved} of {count(len(facts.changes), 'module')}; lora_A by a median of "
             f"{percent(statistics.median(moves))} of its norm"]
        )  # fmt: skip
    if facts.non_finite_step is not None:
        rows.append(["loss not finite", f"at step {facts.non_finite_step}"])
    if facts.zero_gradient_modules:
        rows.append(["modules without gradient", listed([code(n) for n in facts.zero_gradient_modules])])
    if facts.other_trainable:
        rows.append(["trainable beside the adapter", listed([code(n) for n in facts.other_trainable])])
    return rows


def _figure(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _adapted(facts: TrainFacts) -> str:
    """`cross 8 (k_proj, q_proj), mlp 4 (fc1, fc2)`: how many of each part, and their last names."""
    parts = facts.adapted.items()
    return ", ".join(f"{text(part)} {sum(names.values())} ({', '.join(map(text, names))})" for part, names in parts)
