"""Training rows by duration: how many survive each threshold, which one was chosen, how many were asked for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes

from lora.formatting import count, seconds
from lora.records.durations import DurationDecision
from lora.report.plots.style import BLUE, INK, MUTED, ORANGE, PALE, add_title, draw_message, figure

FEW = "#a9bccb"
MOST_STEPS = 2_000  # of the curve, which is 1,400 pixels wide; with a million an SVG has 100 MB


def plot_durations(durations: Sequence[float], decision: DurationDecision, png: Path, svg: Path) -> None:
    """Plot the training split under each threshold, and usable training rows by duration (`durations`, seconds)."""
    with figure(8.6, 4.6, png, svg) as canvas:
        if not durations:
            draw_message(canvas, "Training rows by duration", "There is no usable training row.")
            return
        axes = canvas.subplots()
        _cumulative(axes, sorted(durations), decision.max_seconds)
        _bars(axes, decision, max(durations))
        _minimum(axes, decision.min_train_samples)
        highest = max([len(durations), decision.min_train_samples, *(o.train_rows for o in decision.options)])
        axes.set_ylim(0, 1.12 * highest)
        add_title(axes, _title(decision), _subtitle(durations, decision.max_seconds))
        axes.set_xlabel("duration limit, and number of rows in the training split", labelpad=8)
        axes.set_ylabel("training rows")
        axes.yaxis.set_major_formatter(lambda rows, _: f"{rows:,.10g}")
        axes.grid(axis="x", visible=False)


def _title(decision: DurationDecision) -> str:
    if decision.max_seconds is None:
        return "No duration threshold leaves a training row"
    chosen = next((o for o in decision.options if o.threshold == decision.max_seconds), None)
    rows = "" if chosen is None else f" leaves {count(chosen.train_rows, 'row')} to train on"
    return f"max_seconds = {decision.max_seconds:g}{rows}"


def _subtitle(durations: Sequence[float], limit: float | None) -> str:
    legend = "Bars: training split under each limit. Curve: all usable rows by duration"
    longer = sum(1 for duration in durations if limit is not None and duration > limit)
    return f"{legend}; hatched: {count(longer, 'longer row')}." if longer else f"{legend}."


def _cumulative(axes: Axes, durations: list[float], limit: float | None) -> None:
    """Number of rows up to each duration; rows beyond the chosen limit are hatched, not only paler."""
    rows = len(durations)
    every = -(-rows // MOST_STEPS)
    drawn = sorted({*range(every - 1, rows, every), rows - 1})
    xs = [0.0, *(durations[i] for i in drawn), durations[-1] * 1.02]
    ys = [0, *(i + 1 for i in drawn), rows]
    axes.fill_between(xs, ys, step="post", color="#eef3f8", linewidth=0)
    if limit is not None and limit < durations[-1]:
        cut = [(x, y) for x, y in zip(xs, ys, strict=True) if x > limit]
        start = sum(1 for d in durations if d <= limit)
        axes.fill_between(
            [limit, *(x for x, _ in cut)],
            [start, *(y for _, y in cut)],
            start,
            step="post",
            facecolor="none",
            edgecolor=PALE,
            hatch="////",
            linewidth=0,
        )
    axes.step(xs, ys, where="post", color=MUTED, linewidth=1.4)
    axes.set_xlim(0, durations[-1] * 1.02)


def _bars(axes: Axes, decision: DurationDecision, longest: float) -> None:
    """One bar per threshold; its number of rows is the tick label, so that the curve stays visible."""
    thresholds = [option.threshold for option in decision.options]
    gaps = [b - a for a, b in pairwise(thresholds)]
    width = min([0.04 * longest, *(0.6 * gap for gap in gaps)])
    axes.set_xlim(0, max([longest * 1.02, *(t + width for t in thresholds)]))
    axes.set_xticks(thresholds, [f"{seconds(o.threshold)}\n{o.train_rows:,}" for o in decision.options])
    for option, tick in zip(decision.options, axes.get_xticklabels(), strict=True):
        chosen = option.threshold == decision.max_seconds
        enough = option.train_rows >= decision.min_train_samples
        axes.bar(
            option.threshold, option.train_rows, width, zorder=3, color=ORANGE if chosen else BLUE if enough else FEW
        )
        tick.set(linespacing=1.4, color=ORANGE if chosen else INK, fontweight="bold" if chosen else "normal")


def _minimum(axes: Axes, rows: int) -> None:
    axes.axhline(rows, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=5)
    axes.annotate(
        f"at least {rows:,} needed",
        (0, rows),
        (6, 4),
        textcoords="offset points",
        xycoords=("axes fraction", "data"),
        fontsize=10,
        color=INK,
        va="bottom",
    )
