"""WER of the baseline and every run per manifest, with intervals, next to the paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from lora.formatting import (
    configured_percent,
    configured_points,
    count,
    counted_rows,
    outcome_words,
    percent,
    rate_name,
    signed_points,
)
from lora.records.comparisons import PairedFacts
from lora.records.scores import WerFacts
from lora.report.markdown import plain
from lora.report.plots.style import INK, MUTED, PALE, SERIES, add_title, draw_message, figure

BASE = "base"
PAPER = {"facecolor": "white", "linewidth": 0, "pad": 1}  # keeps lines from crossing text
MARKERS = ("o", "s", "D", "^", "v")


def plot_wer(
    wers: Sequence[WerFacts], paired: Sequence[PairedFacts], min_wer: float | None, png: Path, svg: Path
) -> None:
    """Plot WER and differences of rows within max_seconds; manifests and runs in the order of `wers`."""
    lanes = [(m, r) for m in _manifests(wers) for r in _runs(wers)]
    with figure(10.4, 1.6 + 0.36 * (len(lanes) + len(_manifests(wers))), png, svg) as canvas:
        if not any(facts.within is not None and facts.within.wer is not None for facts in wers):
            reason = next((facts.message for facts in wers if facts.message), "no WER was measured")
            draw_message(canvas, "Word error rate", f"Unknown: {plain(reason)}")
            return
        heights = _heights(wers)
        if paired:
            left, right = canvas.subplots(1, 2, sharey=True, width_ratios=[5, 4])
            _differences(right, paired, heights, _runs(wers))
        else:
            left = canvas.subplots()
        _levels(left, wers, heights, min_wer)


def _manifests(wers: Sequence[WerFacts]) -> list[str]:
    return list(dict.fromkeys(facts.manifest for facts in wers))


def _runs(wers: Sequence[WerFacts]) -> list[str]:
    return sorted(dict.fromkeys(facts.run for facts in wers), key=lambda run: run != BASE)


def _heights(wers: Sequence[WerFacts]) -> dict[tuple[str, str], float]:
    """The vertical position of each run, from top to bottom, with a gap between manifests."""
    heights, y = {}, 0.0
    for manifest in _manifests(wers):
        for run in _runs(wers):
            heights[manifest, run] = y
            y -= 1.0
        y -= 1.0
    return heights


def _colour(run: str, runs: list[str]) -> str:
    return MUTED if run == BASE else SERIES[(runs.index(run) - (BASE in runs)) % len(SERIES)]


def _marker(run: str, runs: list[str]) -> str:
    return MARKERS[runs.index(run) % len(MARKERS)]


def _levels(axes: Axes, wers: Sequence[WerFacts], heights: dict[tuple[str, str], float], min_wer: float | None) -> None:
    runs = _runs(wers)
    highest = 0.0
    for facts in wers:
        y = heights[facts.manifest, facts.run]
        score = facts.within
        if score is None or score.wer is None:
            axes.annotate(
                "unknown",
                (0, y),
                (6, 0),
                textcoords="offset points",
                va="center",
                color=MUTED,
                style="italic",
                bbox=PAPER,
            )
            continue
        low = score.interval.low
        high = score.interval.high
        end = 100 * max(score.wer, high or 0.0)
        highest = max(highest, end)
        if low is not None and high is not None:
            axes.plot([100 * low, 100 * high], [y, y], color=_colour(facts.run, runs), linewidth=2.2, alpha=0.55)
        axes.plot(
            100 * score.wer,
            y,
            _marker(facts.run, runs),
            color=_colour(facts.run, runs),
            markersize=7.5,
            markerfacecolor="white" if facts.run == BASE else None,
            markeredgewidth=1.8,
            clip_on=False,
        )
        axes.annotate(
            percent(score.wer),
            (end, y),
            (8, 0),
            textcoords="offset points",
            va="center",
            fontsize=10,
            bbox=PAPER,
        )
    _lanes(axes, wers, heights)
    axes.set_xlim(0, highest * 1.18 + 0.5)
    names = sorted({rate_name(facts.unit) for facts in wers})
    axes.set_xlabel(f"{' or '.join(names)}, %")
    subtitle = f"{_counted(wers)}."
    if min_wer is not None:
        axes.axvline(100 * min_wer, color=INK, linewidth=1.2, linestyle=(0, (5, 3)), zorder=1)
        subtitle += f" Dashed: headroom from {configured_percent(min_wer)}."
    add_title(axes, "Word error rate", subtitle)


def _lanes(axes: Axes, wers: Sequence[WerFacts], heights: dict[tuple[str, str], float]) -> None:
    """Names of runs as tick labels, under the manifest in bold."""
    places = list(heights.values())
    names = [run for _, run in heights]
    for manifest in _manifests(wers):
        rows = next((f.within.utterances for f in wers if f.manifest == manifest and f.within is not None), None)
        places.append(heights[manifest, _runs(wers)[0]] + 0.85)
        names.append(manifest if rows is None else f"{manifest} ({count(rows, 'row')})")
    axes.set_yticks(places, names)
    for label in axes.get_yticklabels()[len(heights) :]:
        label.set(fontweight="bold", color=INK)
    axes.set_ylim(min(heights.values()) - 0.6, 1.3)
    axes.grid(axis="y", visible=False)


def _differences(
    axes: Axes, paired: Sequence[PairedFacts], heights: dict[tuple[str, str], float], runs: list[str]
) -> None:
    axes.axvline(0, color=INK, linewidth=1.2)
    reach = 0.0
    for facts in paired:
        score = facts.within
        y = heights.get((facts.manifest, facts.run))
        if y is None or score is None or score.delta is None:
            continue
        colour = _colour(facts.run, runs)
        ends = [e for e in (score.interval.low, score.interval.high) if e is not None]
        if len(ends) == 2:
            axes.plot([100 * e for e in ends], [y, y], color=colour, linewidth=2.2, alpha=0.55)
        axes.plot(100 * score.delta, y, _marker(facts.run, runs), color=colour, markersize=7.5)
        reach = max(reach, *(abs(100 * e) for e in [score.delta, *ends]))
        axes.annotate(
            f"{signed_points(score.delta)}  {outcome_words(score.outcome)}",
            (1, y),
            (10, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=10,
            annotation_clip=False,
        )
    margin = max((facts.equivalence_margin for facts in paired), default=0.0)
    axes.axvspan(-100 * margin, 100 * margin, color=PALE, alpha=0.6, linewidth=0)
    axes.set_xlim(-1.15 * max(reach, 1.0), 1.15 * max(reach, 1.0))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("tuned minus baseline, points")
    add_title(axes, "Change by tuning", f"Left is better. Band: ±{configured_points(margin)}.")


def _counted(wers: Sequence[WerFacts]) -> str:
    """`Rows of at most 10 s`: the rows that the plotted WERs count."""
    rows = counted_rows(next((facts.max_seconds for facts in wers), None))
    return f"{rows[0].upper()}{rows[1:]}"
