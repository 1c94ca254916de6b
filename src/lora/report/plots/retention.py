"""What a duration limit leaves of the training manifest: rows, hours, speakers and distinct words, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from lora.records.data import DurationDecision, RetentionFacts, RetentionPoint
from lora.report.plots.style import BLUE, GREEN, INK, ORANGE, PALE, PURPLE, figure, headed, message

TITLE = "What a duration limit leaves of the training data"
NEAREST = 0.04  # of the width, between two thresholds whose numbers can be read


@dataclass(frozen=True)
class _Line:
    """One quantity over the grid, as shares of all there is; `label` says how much that is."""

    label: str
    colour: str
    dashes: Any
    shares: list[float]


def plot_retention(facts: RetentionFacts, decision: DurationDecision, png: Path, svg: Path) -> None:
    """The fine grid of `facts`; thresholds are those of `decision`, the chosen one stands out."""
    grid = [point for point in facts.curve if point.threshold is not None]
    whole = next((point for point in facts.curve if point.threshold is None), None)
    with figure(8.6, 4.6, png, svg) as drawn:
        if whole is None or not whole.rows or not grid:
            message(drawn, TITLE, "There is no usable training row, so nothing can be drawn.")
            return
        axes = drawn.subplots()
        seconds = [0.0, *(point.threshold or 0.0 for point in grid)]
        lines = _lines(grid, whole)
        right = max(seconds)
        _thresholds(axes, decision, right)
        for line in lines:
            axes.plot(seconds, line.shares, color=line.colour, linewidth=2.2, linestyle=line.dashes, clip_on=False)
        _names(axes, lines)
        _chosen(axes, decision, lines, grid, right)
        headed(axes, TITLE, _subtitle(decision, grid, whole))
        axes.set_xlim(0, right)
        axes.set_ylim(0, 1.0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.0f} %"))
        axes.set_xlabel("duration limit", labelpad=8)
        axes.set_ylabel("share that is left")
        axes.grid(axis="x", visible=False)


def _lines(grid: Sequence[RetentionPoint], whole: RetentionPoint) -> list[_Line]:
    """Those that the manifest knows; speakers may be unknown, words may be none."""
    kinds: list[tuple[str, float, list[float], str, Any]] = [
        (f"{whole.rows:,} rows", whole.rows, [p.rows for p in grid], BLUE, "-"),
        (f"{whole.hours:.3g} hours", whole.hours, [p.hours for p in grid], GREEN, (0, (7, 2))),
        (f"{whole.words:,} words", whole.words, [p.words for p in grid], PURPLE, (0, (1.2, 1.4))),
    ]
    if whole.speakers:
        people = [p.speakers or 0.0 for p in grid]
        kinds.append((f"{whole.speakers:,} speakers", whole.speakers, people, INK, (0, (4, 2, 1, 2))))
    return [
        _Line(label, colour, dashes, [0.0, *(value / total for value in values)])
        for label, total, values, colour, dashes in kinds
        if total
    ]


def _names(axes: Axes, lines: Sequence[_Line]) -> None:
    """What stands for all there is, beside the picture, the fullest curve first as in the picture."""
    for line in sorted(lines, key=lambda line: -sum(line.shares)):
        axes.plot([], [], color=line.colour, linestyle=line.dashes, linewidth=2.2, label=line.label)
    axes.legend(
        loc="center left", bbox_to_anchor=(1.01, 0.5), handlelength=2.8, labelspacing=0.9, title="100 % are",
        alignment="left",
    )  # fmt: skip


def _thresholds(axes: Axes, decision: DurationDecision, right: float) -> None:
    """Every threshold of the configuration as a quiet line with its number; the chosen one's always stays."""
    named: list[float] = []
    for threshold in sorted((o.threshold for o in decision.options), key=lambda t: (t != decision.max_seconds, t)):
        if threshold > right:
            continue
        if threshold != decision.max_seconds:
            axes.axvline(threshold, color=PALE, linewidth=1.2, zorder=1)
        if all(abs(threshold - other) > NEAREST * right for other in named):
            named.append(threshold)
    ticks = sorted(named)
    axes.set_xticks([0, *ticks], ["0", *(f"{t:g} s" for t in ticks)])
    for threshold, tick in zip(ticks, axes.get_xticklabels()[1:], strict=True):
        chosen = threshold == decision.max_seconds
        tick.set(color=ORANGE if chosen else INK, fontweight="bold" if chosen else "normal")


def _chosen(
    axes: Axes, decision: DurationDecision, lines: Sequence[_Line], grid: Sequence[RetentionPoint], right: float
) -> None:
    """The chosen limit, with what it leaves of each quantity as points on the curves."""
    limit = decision.max_seconds
    if limit is None or limit > right:
        return
    axes.axvline(limit, color=ORANGE, linewidth=1.8, zorder=2)
    axes.annotate(
        "max_seconds", (limit, 0), (6, 6), xycoords=("data", "axes fraction"), textcoords="offset points", fontsize=10,
        color=ORANGE, fontweight="bold", va="bottom",
    )  # fmt: skip
    at = next((i for i, point in enumerate(grid, start=1) if point.threshold == limit), None)
    if at is None:
        return
    for line in lines:
        axes.plot(
            limit, line.shares[at], "o", markersize=7, color=line.colour, markeredgecolor="white", markeredgewidth=1.4,
            zorder=5, clip_on=False,
        )  # fmt: skip


def _subtitle(decision: DurationDecision, grid: Sequence[RetentionPoint], whole: RetentionPoint) -> str:
    limit = decision.max_seconds
    if limit is None:
        return "No limit is set; lines mark the thresholds of the configuration."
    point = next((p for p in grid if p.threshold == limit), None)
    if point is None:
        return f"A limit of {limit:g} s takes nothing away."
    parts = [f"{point.rows:,} of {whole.rows:,} rows", f"{point.hours:.3g} of {whole.hours:.3g} hours"]
    if whole.speakers:
        parts.append(f"{point.speakers or 0:,} of {whole.speakers:,} speakers")
    parts.append(f"{point.words:,} of {whole.words:,} words")
    return f"{limit:g} s leaves {', '.join(parts[:-1])} and {parts[-1]}."
