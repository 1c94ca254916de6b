"""The sweep in two pictures: WER over each varied setting, and domain gain against general loss."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from lora.formatting import configured_points, count
from lora.records.recipes import RecipeDifference
from lora.records.sweep import HypothesisFacts, RecipeOutcome, SweepFacts
from lora.report.markdown import plain
from lora.report.plots.style import BLUE, INK, MUTED, ORANGE, PALE, SERIES, add_title, draw_message, figure

MARKERS = ("o", "s", "D", "^", "v")
LABELS_FIT = 6  # levels whose values are written at the axis


def plot_levels(facts: SweepFacts, png: Path, svg: Path) -> None:
    """WER of every recipe over each factor of the sweep, with seeds as points and intervals of the difference."""
    panels = _panels(facts)
    with figure(max(5.2 * len(panels), 6.0), 4.4, png, svg) as canvas:
        if not panels:
            draw_message(canvas, "WER over the varied settings", "No two recipes that differ in one setting were run.")
            return
        for axes, (factor, manifest, outcomes) in zip(
            canvas.subplots(1, len(panels), squeeze=False)[0], panels, strict=True
        ):
            _draw_levels(axes, factor, manifest, outcomes)


def _panels(facts: SweepFacts) -> list[tuple[str, str, list[tuple[str, RecipeOutcome]]]]:
    """Factor, manifest, and the value and outcome of each of its recipes, by level; each factor once."""
    found: dict[tuple[str, str], list[tuple[str, RecipeOutcome]]] = {}
    settings = {recipe.name: recipe.settings for recipe in facts.recipes}
    for hypothesis in facts.hypotheses:
        outcomes = {outcome.recipe: outcome for outcome in hypothesis.outcomes}
        for factor, names in _contrasts(hypothesis):
            levels = [(_value(settings[name][factor]), outcomes[name]) for name in names if name in outcomes]
            if len(levels) > 1 and hypothesis.manifest is not None:
                found.setdefault((factor, hypothesis.manifest), levels)
    return [(factor, manifest, levels) for (factor, manifest), levels in found.items()]


def _contrasts(hypothesis: HypothesisFacts) -> list[tuple[str, list[str]]]:
    trends = [(found.factor, found.recipes) for found in hypothesis.trends]
    by_lowest: dict[tuple[str, str], list[str]] = {}
    for level in hypothesis.levels:
        by_lowest.setdefault((level.factor, level.against), [level.against]).append(level.recipe)
    return trends + [(factor, names) for (factor, _), names in by_lowest.items()]


def _value(value: object) -> str:
    if isinstance(value, list):
        return "+".join(map(str, value))
    return f"{value:g}" if isinstance(value, int | float) else str(value)


def _draw_levels(axes: Axes, factor: str, manifest: str, levels: Sequence[tuple[str, RecipeOutcome]]) -> None:
    base = levels[0][1].base_wer
    if base is not None:
        axes.axhline(100 * base, color=INK, linewidth=1.2, linestyle=(0, (5, 3)))
    means = []
    for place, (_, outcome) in enumerate(levels):
        mean = sum(outcome.wers) / len(outcome.wers)
        means.append(100 * mean)
        interval = outcome.against_base.interval
        if base is not None and interval.low is not None and interval.high is not None:
            ends = [100 * (base + interval.low), 100 * (base + interval.high)]
            axes.plot([place, place], ends, color=BLUE, linewidth=2.2, alpha=0.55)
        spread = [place + 0.12] * len(outcome.wers)
        axes.plot(spread, [100 * wer for wer in outcome.wers], "o", color=ORANGE, markersize=4.5, alpha=0.9)
    axes.plot(range(len(levels)), means, "o-", color=BLUE, markersize=7.5, linewidth=1.4)
    axes.set_xticks(
        range(len(levels)), [plain(value) for value, _ in levels], rotation=0 if len(levels) < LABELS_FIT else 45
    )
    axes.set_xlim(-0.5, len(levels) - 0.5)
    axes.set_xlabel(plain(factor))
    axes.set_ylabel("WER, %")
    axes.set_ylim(bottom=max(0.0, axes.get_ylim()[0]))
    add_title(
        axes, plain(f"{manifest}: WER over {factor}"), "Dashed: base model. Small: seeds. Bars: interval of the change."
    )


def plot_tradeoff(facts: SweepFacts, png: Path, svg: Path) -> None:
    """Change on the domain manifest against change on the guard manifest, one point per recipe, with the margins."""
    hypothesis = next((one for one in facts.hypotheses if one.outcomes and one.guarded), None)
    with figure(8.4, 5.4, png, svg) as canvas:
        if hypothesis is None:
            draw_message(
                canvas, "Domain gain against general loss", "No recipe was run on a domain and a general manifest."
            )
            return
        axes = canvas.subplots()
        guarded = {outcome.recipe: outcome for outcome in hypothesis.guarded}
        pairs = [(one, guarded[one.recipe]) for one in hypothesis.outcomes if one.recipe in guarded]
        axes.axvspan(
            -100 * facts.equivalence_margin, 100 * facts.equivalence_margin, color=PALE, alpha=0.5, linewidth=0
        )
        axes.axvline(0, color=INK, linewidth=1.0)
        axes.axhline(0, color=INK, linewidth=1.0)
        axes.axhline(-100 * facts.target_gain, color=MUTED, linewidth=1.2, linestyle=(0, (5, 3)))
        for number, (domain, general) in enumerate(pairs):
            _draw_pair(axes, number, domain, general)
        axes.set_xlabel(plain(f"change on {hypothesis.guard}, points (left is better)"))
        axes.set_ylabel(plain(f"change on {hypothesis.manifest}, points (down is better)"))
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0)
        add_title(
            axes,
            "Domain gain against general loss",
            f"{count(len(pairs), 'recipe')}. Grey: margin of {configured_points(facts.equivalence_margin)}. "
            f"Dashed: target gain of {configured_points(facts.target_gain)}.",
        )


def _draw_pair(axes: Axes, number: int, domain: RecipeOutcome, general: RecipeOutcome) -> None:
    x = general.against_base.difference
    y = domain.against_base.difference
    if x is None or y is None:
        return
    colour = SERIES[number % len(SERIES)]
    ends = _ends(general.against_base)
    if ends is not None:
        axes.plot(ends, [100 * y] * 2, color=colour, linewidth=1.4, alpha=0.4)
    ends = _ends(domain.against_base)
    if ends is not None:
        axes.plot([100 * x] * 2, ends, color=colour, linewidth=1.4, alpha=0.4)
    marker = MARKERS[number // len(SERIES) % len(MARKERS)]
    axes.plot(100 * x, 100 * y, marker, color=colour, markersize=8, label=plain(domain.recipe), linestyle="none")


def _ends(difference: RecipeDifference) -> list[float] | None:
    low = difference.interval.low
    high = difference.interval.high
    return None if low is None or high is None else [100 * low, 100 * high]
