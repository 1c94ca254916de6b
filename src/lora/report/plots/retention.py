"""Rows, speech, speakers and distinct words of the training manifest that each duration limit leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from lora.formatting import configured_percent, count, hours, listed, seconds
from lora.records.durations import DurationDecision, RetentionFacts, RetentionPoint
from lora.report.plots.style import BLUE, GREEN, INK, ORANGE, PALE, PURPLE, add_title, draw_message, figure

TITLE = "What a duration limit leaves of the training data"
CLOSEST = 0.05  # smallest gap between two tick labels, as a share of the width


@dataclass(frozen=True)
class _Line:
    """One quantity over the grid, as shares of its total; `label` names the total."""

    label: str
    colour: str
    dashes: Any
    shares: list[float]


def plot_retention(facts: RetentionFacts, decision: DurationDecision, png: Path, svg: Path) -> None:
    """Plot the fine grid of `facts`, with the thresholds of `decision` and the chosen one in colour."""
    grid = [point for point in facts.curve if point.threshold is not None]
    total = next((point for point in facts.curve if point.threshold is None), None)
    with figure(8.6, 4.6, png, svg) as canvas:
        if total is None or not total.rows or not grid:
            draw_message(canvas, TITLE, "There is no usable training row.")
            return
        axes = canvas.subplots()
        limits = [0.0, *(point.threshold or 0.0 for point in grid)]
        lines = _lines(grid, total)
        right = max(limits)
        _thresholds(axes, decision, right)
        for line in lines:
            axes.plot(limits, line.shares, color=line.colour, linewidth=2.2, linestyle=line.dashes, clip_on=False)
        _names(axes, lines)
        _chosen(axes, decision, lines, grid, right)
        add_title(axes, TITLE, _subtitle(decision, grid, total))
        axes.set_xlim(0, right)
        axes.set_ylim(0, 1.0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: configured_percent(round(share, 9))))
        axes.set_xlabel("duration limit", labelpad=8)
        axes.set_ylabel("share that remains")
        axes.grid(axis="x", visible=False)


def _lines(grid: Sequence[RetentionPoint], total: RetentionPoint) -> list[_Line]:
    """The quantities with a total above 0; speakers may be unknown."""
    kinds: list[tuple[str, float, list[float], str, Any]] = [
        (f"{total.rows:,} rows", total.rows, [p.rows for p in grid], BLUE, "-"),
        (f"{hours(total.hours)} of speech", total.hours, [p.hours for p in grid], GREEN, (0, (7, 2))),
        (f"{total.words:,} distinct words", total.words, [p.words for p in grid], PURPLE, (0, (1.2, 1.4))),
    ]
    if total.speakers:
        people = [p.speakers or 0.0 for p in grid]
        kinds.append((f"{total.speakers:,} speakers", total.speakers, people, INK, (0, (4, 2, 1, 2))))
    return [
        _Line(label, colour, dashes, [0.0, *(value / amount for value in values)])
        for label, amount, values, colour, dashes in kinds
        if amount
    ]


def _names(axes: Axes, lines: Sequence[_Line]) -> None:
    """A legend with the totals to the right of the axes, the highest curve first."""
    for line in sorted(lines, key=lambda line: -sum(line.shares)):
        axes.plot([], [], color=line.colour, linestyle=line.dashes, linewidth=2.2, label=line.label)
    axes.legend(
        loc="center left",
        bbox_to_anchor=(1.01, 0.5),
        handlelength=2.8,
        labelspacing=0.9,
        title="100 % is",
        alignment="left",
    )


def _thresholds(axes: Axes, decision: DurationDecision, right: float) -> None:
    """A muted line and a label at every configured threshold; the chosen one is always labelled."""
    named: list[float] = []
    for threshold in sorted((o.threshold for o in decision.options), key=lambda t: (t != decision.max_seconds, t)):
        if threshold > right:
            continue
        if threshold != decision.max_seconds:
            axes.axvline(threshold, color=PALE, linewidth=1.2, zorder=1)
        if all(abs(threshold - other) > CLOSEST * right for other in named):
            named.append(threshold)
    ticks = sorted(named)
    axes.set_xticks([0, *ticks], ["0", *(seconds(t) for t in ticks)])
    for threshold, tick in zip(ticks, axes.get_xticklabels()[1:], strict=True):
        chosen = threshold == decision.max_seconds
        tick.set(color=ORANGE if chosen else INK, fontweight="bold" if chosen else "normal")


def _chosen(
    axes: Axes, decision: DurationDecision, lines: Sequence[_Line], grid: Sequence[RetentionPoint], right: float
) -> None:
    """The chosen limit, with a marker on each curve."""
    limit = decision.max_seconds
    if limit is None or limit > right:
        return
    axes.axvline(limit, color=ORANGE, linewidth=1.8, zorder=2)
    axes.annotate(
        "max_seconds",
        (limit, 0),
        (6, 6),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        fontsize=10,
        color=ORANGE,
        fontweight="bold",
        va="bottom",
    )
    at = next((i for i, point in enumerate(grid, start=1) if point.threshold == limit), None)
    if at is None:
        return
    for line in lines:
        axes.plot(
            limit,
            line.shares[at],
            "o",
            markersize=7,
            color=line.colour,
            markeredgecolor="white",
            markeredgewidth=1.4,
            zorder=5,
            clip_on=False,
        )


def _subtitle(decision: DurationDecision, grid: Sequence[RetentionPoint], total: RetentionPoint) -> str:
    limit = decision.max_seconds
    if limit is None:
        return "No limit is set; lines mark the configured thresholds."
    point = next((p for p in grid if p.threshold == limit), None)
    if point is None:
        return f"A limit of {seconds(limit)} removes nothing."
    parts = [count(point.rows, "row"), hours(point.hours)]
    if total.speakers:
        parts.append(count(point.speakers or 0, "speaker"))
    parts.append(count(point.words, "distinct word"))
    return f"{seconds(limit)} leaves {listed(parts, most=4)}."
