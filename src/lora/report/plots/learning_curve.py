"""The change in WER over the share of training data, and how much more data the target gain would need."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from lora.formatting import signed_points
from lora.records.recipes import LearningCurve
from lora.records.sweep import HypothesisFacts, SweepFacts, TrendFacts
from lora.report.markdown import plain
from lora.report.plots.style import BLUE, INK, MUTED, ORANGE, add_title, draw_message, figure

TITLE = "Learning curve"
ANSWERS = {
    "reached": "The target is reached with the data there is.",
    "reachable": "Bar: amount of data that reaches the target, with its interval.",
    "at_least": "Arrow: least amount of data that reaches the target; how much is unknown.",
    "out_of_reach": "More data of this kind does not reach the target.",
    "flat": "No fall is shown, so how much more data is needed is unknown.",
    "too_few_shares": "Fewer than three shares: no curve is fitted.",
    "too_few_seeds": "No share has two seeds: no curve is fitted.",
    "undecided": "How much more data is needed cannot be derived from these runs.",
}


def plot_learning_curve(facts: SweepFacts, png: Path, svg: Path) -> None:
    """Draw the learning curve of the first hypothesis that has one."""
    found = next(
        ((hypothesis, trend) for hypothesis in facts.hypotheses for trend in hypothesis.trends if trend.curve), None
    )
    with figure(7.2, 4.4, png, svg) as canvas:
        if found is None or found[1].curve is None:
            draw_message(canvas, TITLE, "No runs that differ in `data_share` alone.")
            return
        hypothesis, trend = found
        axes = canvas.subplots()
        _draw(axes, hypothesis, trend, found[1].curve)


def _draw(axes: Axes, hypothesis: HypothesisFacts, trend: TrendFacts, curve: LearningCurve) -> None:
    outcomes = {outcome.recipe: outcome.against_base for outcome in hypothesis.outcomes}
    axes.axhline(0, color=INK, linewidth=1.0)
    axes.axhline(100 * curve.target, color=MUTED, linewidth=1.2, linestyle=(0, (5, 3)))
    for amount, difference, recipe in zip(curve.amounts, curve.differences, trend.recipes, strict=True):
        interval = outcomes[recipe].interval
        if interval.low is not None and interval.high is not None:
            axes.plot([amount] * 2, [100 * interval.low, 100 * interval.high], color=BLUE, linewidth=2.2, alpha=0.55)
        axes.plot(amount, 100 * difference, "o", color=BLUE, markersize=7.5)
    most = _largest_amount(curve)
    if curve.floor is not None and curve.scale is not None and curve.exponent is not None:
        amounts = np.geomspace(curve.amounts[0], most, 120)
        fitted = curve.floor + curve.scale * amounts**-curve.exponent
        axes.plot(amounts, 100 * fitted, color=BLUE, linewidth=1.4, linestyle=(0, (1, 1.5)))
    ticks = list(curve.amounts)
    if curve.needed_low is not None and curve.outcome in {"reachable", "at_least"}:
        _draw_needed(axes, curve, curve.needed_low, most)
        ticks += [end for end in (curve.needed_low, curve.needed_high) if end is not None]
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{100 * amount:.3g} %" for amount in ticks])
    axes.minorticks_off()
    axes.set_xlabel("share of the training rows")
    axes.set_ylabel("change of WER, points")
    title = f"{TITLE}: {hypothesis.manifest}, target {signed_points(curve.target)}"
    add_title(axes, plain(title), ANSWERS[curve.outcome])


def _draw_needed(axes: Axes, curve: LearningCurve, low: float, most: float) -> None:
    """The interval of the needed amount at the height of the target; an arrow where it has no upper end."""
    height = 100 * curve.target
    if curve.needed_high is not None:
        axes.plot([low, curve.needed_high], [height] * 2, color=ORANGE, linewidth=4, alpha=0.8)
        return
    axes.annotate("", (most, height), (low, height), arrowprops={"arrowstyle": "->", "color": ORANGE, "linewidth": 2})


def _largest_amount(curve: LearningCurve) -> float:
    """Where the drawing ends: past the amounts that were run and the interval of the needed one."""
    ends = [2 * curve.amounts[-1], 1.2 * (curve.needed_high or 0.0), 2 * (curve.needed_low or 0.0)]
    return min(max(ends), curve.limit)
