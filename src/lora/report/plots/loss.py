"""Training and validation loss by optimiser step, with the best step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lora.formatting import UNKNOWN, number
from lora.records.training import TrainFacts, ValidationPoint
from lora.report.markdown import plain
from lora.report.plots.style import BLUE, INK, MUTED, ORANGE, add_title, draw_message, figure

Points = list[tuple[float, float]]
TRAINING_COLUMNS = ("train_loss", "loss")


def plot_loss(log: Sequence[Mapping[str, str]], facts: TrainFacts, png: Path, svg: Path) -> None:
    """Plot the rows of loss.tsv (`log`); empty cells are steps without that loss."""
    training = _column(log)
    validation: Points = [(p.step, p.loss) for p in facts.validation if p.loss is not None]
    with figure(8.6, 4.2, png, svg) as canvas:
        if not training and not validation:
            reason = facts.message or "the run logged no loss"
            draw_message(canvas, f"Loss of {plain(facts.run)}", f"Unknown: {plain(reason)}")
            return
        axes = canvas.subplots()
        if training:
            axes.plot(*zip(*training, strict=True), color=BLUE, linewidth=1.4, alpha=0.85)
        if validation:
            axes.plot(
                *zip(*validation, strict=True), color=ORANGE, linewidth=1.8, marker="o", markersize=6, clip_on=False
            )
        _names(axes, training, validation)
        _best(axes, facts)
        _stopped(axes, facts)
        add_title(axes, _finding(facts), _subtitle(facts))
        axes.set_xlabel("optimiser step")
        axes.set_ylabel("loss, nats per token")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.set_xlim(0, max([1, facts.non_finite_step or 0, *(x for x, _ in [*training, *validation])]))


def _finding(facts: TrainFacts) -> str:
    """The title: where the training loss went, as means of the first and last tenth of the log."""
    run = plain(facts.run)
    first = facts.first_train_loss
    final = facts.final_train_loss
    if facts.non_finite_step is not None:
        return f"The loss of {run} is not finite from step {facts.non_finite_step:,} on"
    if first is None or final is None:
        return f"Loss of {run}"
    verb = "fell" if final < first else "rose" if final > first else "stayed"
    return f"The training loss of {run} {verb} from {number(first)} to {number(final)}"


def _subtitle(facts: TrainFacts) -> str:
    if facts.status == "impossible":
        return f"Training produced no adapter: {plain(facts.message or facts.code or 'no reason given')}"[:110]
    numbers = (facts.optimizer_steps, facts.planned_steps, facts.train_rows, facts.val_rows)
    steps, planned, train_rows, val_rows = (UNKNOWN if n is None else f"{n:,}" for n in numbers)
    return f"{steps} of {planned} steps, {train_rows} training and {val_rows} validation rows"


def _column(log: Sequence[Mapping[str, str]]) -> Points:
    """Step and training loss where it is a finite number."""
    points: Points = []
    for row in log:
        cell = next((row[name] for name in TRAINING_COLUMNS if row.get(name)), "")
        try:
            step = float(row.get("step", ""))
            loss = float(cell)
        except ValueError:
            continue
        if abs(loss) != float("inf") and loss == loss:
            points.append((step, loss))
    return points


def _names(axes: Axes, training: Points, validation: Points) -> None:
    """Label each curve with its last value at its end, the higher one above the lower one."""
    ends = [
        (points[-1], name, colour)
        for points, name, colour in ((training, "training", BLUE), (validation, "validation", ORANGE))
        if points
    ]
    ends.sort(key=lambda end: -end[0][1])
    for position, (point, name, colour) in enumerate(ends):
        axes.annotate(
            f"{name} {number(point[1])}",
            point,
            (10, 0),
            textcoords="offset points",
            color=colour,
            fontsize=10,
            fontweight="bold",
            va="bottom" if position == 0 else "top",
            annotation_clip=False,
        )


def _best(axes: Axes, facts: TrainFacts) -> None:
    best: ValidationPoint | None = next((p for p in facts.validation if p.step == facts.best_step), None)
    if best is None or best.loss is None:
        return
    kept = {True: "kept", False: "not kept", None: ""}[facts.best_kept]
    axes.axvline(best.step, color=MUTED, linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
    ring: dict[str, Any] = {"markerfacecolor": "none", "markeredgecolor": INK, "markeredgewidth": 1.6}
    axes.plot(best.step, best.loss, "o", markersize=13, clip_on=False, **ring)
    label = f"best: step {best.step:,}" + (f", {kept}" if kept else "")
    axes.annotate(
        label,
        (best.step, 1),
        (-6, -4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=10,
    )


def _stopped(axes: Axes, facts: TrainFacts) -> None:
    if facts.non_finite_step is None:
        return
    axes.axvline(facts.non_finite_step, color=ORANGE, linewidth=1.6)
    axes.annotate(
        f"not finite at step {facts.non_finite_step}",
        (facts.non_finite_step, 0.5),
        (6, 0),
        fontsize=10,
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        color=ORANGE,
    )
