"""WER against an ordered factor (steps, share of the data, learning rate): improves, overfits, flat or undecided.

Every pair of levels is compared by `recipe_difference` with the variance between seeds pooled over levels; p-values are
Holm-adjusted and intervals simultaneous over all pairs, so that some change is claimed in at most 5 % of the factors
that change nothing. A fall is no improvement with more of the factor where the highest level is likely to be worse than
the best one: a rise that three unstable seeds cannot show looks exactly so. No curve is fitted: with three to six
levels its form would decide the result. All pairs rather than neighbours, since a steady trend shows
between distant levels first.

A level that is shown to be worse than another one cannot be the best; the others are a confidence set of the best level
(comparisons with the best: Hsu 1984, Annals of Statistics 12:1136).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from lora.records.recipes import RecipeDifference, Trend, TrendOutcome, TrendStep
from lora.scoring.multiplicity import holm, simultaneous
from lora.scoring.seed_intervals import RecipeRuns, pooled_seed_variance, recipe_difference

LIKELY = 0.2  # unadjusted p-value below which a rise that is not shown forbids to speak of an improvement


def wer_trend(levels: Mapping[float, RecipeRuns], margin: float, confidence: float) -> Trend:
    """Trend of mean WER over the levels of a factor.

    Args:
        levels: runs by level, all over the same utterances. The base may be one (0 steps).
        margin: WER difference (fraction) below which levels are equivalent.
        confidence: of all comparisons together, such as 0.95.

    Raises:
        ValueError: fewer than two levels, or a set without a reference word.
    """
    ordered = sorted(levels)
    if len(ordered) < 2:
        raise ValueError(f"a trend needs two levels; got {ordered}")
    if not levels[ordered[0]].words.any():
        raise ValueError("a trend needs an evaluation set with reference words")
    pairs = list(combinations(ordered, 2))
    pooled = pooled_seed_variance(list(levels.values()))
    each = simultaneous(confidence, len(pairs))
    results = [recipe_difference(levels[high], levels[low], each, pooled) for low, high in pairs]
    adjusted = holm([result.p for result in results])
    steps = [
        TrendStep(low=low, high=high, difference=result.difference or 0.0, interval=result.interval, adjusted_p=p)
        for (low, high), result, p in zip(pairs, results, adjusted, strict=True)
    ]
    certain = [step for step in steps if step.adjusted_p is not None and step.adjusted_p <= 1.0 - confidence]
    falls = any(step.difference < 0 for step in certain)
    rises = any(step.difference > 0 for step in certain)
    worse = {step.high if step.difference > 0 else step.low for step in certain}
    wers = {level: float(levels[level].wers.mean()) for level in ordered}
    best = min(ordered, key=wers.__getitem__)
    return Trend(
        levels=ordered,
        wers=[wers[level] for level in ordered],
        outcome=_outcome(
            falls,
            rises,
            may_rise=any(
                pair == (best, ordered[-1]) and _may_differ(result, margin)
                for pair, result in zip(pairs, results, strict=True)
            ),
            equivalent=all(_equivalent(result, margin) for result in results),
        ),
        falls=falls,
        rises=rises,
        best_level=best,
        plausible_levels=[level for level in ordered if level not in worse],
        scope="adapter" if any(result.scope == "adapter" for result in results) else "recipe",
        steps=steps,
    )


def _outcome(falls: bool, rises: bool, may_rise: bool, equivalent: bool) -> TrendOutcome:
    if rises:
        return "overfits"
    if falls:
        return "undecided" if may_rise else "improves"
    return "flat" if equivalent else "undecided"


def _may_differ(result: RecipeDifference, margin: float) -> bool:
    """Whether a rise by more than the margin is likely, even if it is not shown."""
    return (result.difference or 0.0) > margin and result.p is not None and result.p < LIKELY


def _equivalent(result: RecipeDifference, margin: float) -> bool:
    """Whether two levels differ by less than the margin; few changed utterances show nothing, none at all do."""
    if result.changed_errors == 0:
        return True
    low = result.interval.low
    high = result.interval.high
    return result.p is not None and low is not None and high is not None and -margin < low <= high < margin
