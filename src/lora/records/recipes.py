"""Recipes compared over several training seeds: differences, winners, trends, learning curves, and their power."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Record
from lora.records.scores import Interval

TrendOutcome = Literal["improves", "overfits", "flat", "undecided"]
CurveOutcome = Literal[
    "reached", "reachable", "at_least", "out_of_reach", "flat", "too_few_shares", "too_few_seeds", "undecided"
]


class RecipeDifference(Record):
    """Mean corpus WER of a recipe over its seeds minus that of the base or of another recipe; negative is better."""

    difference: float | None = Field(description="Difference in mean WER (fraction); null without a reference word.")
    seed_differences: list[float] = Field(
        description="Difference of each run (seed) of the recipe, in the order given; against another recipe, from its "
        "run with the same seed if all seeds are shared, else from its mean."
    )
    standard_error: float | None = Field(description="Standard error of the difference; null without an interval.")
    interval: Interval = Field(
        description="Interval that contains the variance of seeds and of speakers or utterances."
    )
    scope: Literal["recipe", "adapter"] = Field(
        description="`recipe`: the interval covers other seeds. `adapter`: a side has one seed only, so that the "
        "interval is valid for these adapters and says nothing about the recipe."
    )
    seeds: int = Field(description="Runs (seeds) of the recipe.")
    other_seeds: int = Field(description="Runs (seeds) of the other side; 1 for the base, which has no seed.")
    paired_seeds: bool = Field(description="Whether runs of the same seed were subtracted from each other.")
    unit_variance: float | None = Field(description="Variance of the difference from speakers or utterances.")
    unit_degrees: int = Field(description="Degrees of freedom of `unit_variance`.")
    seed_variance: float = Field(description="Variance of the difference from seeds; 0 where it is not estimated.")
    seed_degrees: float | None = Field(description="Degrees of freedom of `seed_variance`; null if not estimated.")
    seed_share: float | None = Field(description="`seed_variance` / (`unit_variance` + `seed_variance`).")
    degrees: float | None = Field(description="Degrees of freedom of the whole variance by Satterthwaite.")
    changed_errors: int = Field(
        description="Utterances whose number of errors, summed over seeds, differs; fewer than 6 decide nothing."
    )
    p: float | None = Field(
        description="Two-sided p-value of no difference; null where the interval is missing or fewer than 6 changed."
    )
    harm_bound: float | None = Field(
        description="Largest plausible `difference`, for non-inferiority; null if unknown."
    )


class GridComparison(Record):
    """One recipe of a grid against the base."""

    recipe: str = Field(description="Name of the recipe.")
    against_base: RecipeDifference = Field(
        description="Difference to the base. Its interval is simultaneous: all intervals of the grid cover together."
    )
    adjusted_p: float | None = Field(description="Holm-adjusted p-value over the grid; null where p is.")


class GridWinner(Record):
    """All recipes of a grid against the base, and whether the lowest WER is more than luck."""

    comparisons: list[GridComparison] = Field(description="Every recipe, in the order given.")
    winner: str | None = Field(description="Recipe with the lowest mean WER; null without any recipe with a WER.")
    better_than_base: bool = Field(description="Whether the winner's simultaneous interval is below 0.")
    best: bool = Field(description="Whether the winner is better than every other recipe of the grid.")
    rivals: list[str] = Field(description="Recipes that are not shown to be worse than the winner.")


class TrendStep(Record):
    """Difference between two levels of an ordered factor: higher level minus lower level."""

    low: float = Field(description="The lower level.")
    high: float = Field(description="The higher level.")
    difference: float = Field(description="Mean WER at `high` minus mean WER at `low` (fraction).")
    interval: Interval = Field(description="Simultaneous interval over all pairs of levels.")
    adjusted_p: float | None = Field(description="Holm-adjusted p-value over all pairs of levels.")


class Trend(Record):
    """WER against an ordered factor, with seeds as points."""

    levels: list[float] = Field(description="Levels of the factor, ascending.")
    wers: list[float] = Field(description="Mean WER over seeds at each level (fraction).")
    outcome: TrendOutcome = Field(
        description="`improves`: WER falls somewhere, rises nowhere, and the highest level is not likely to be worse "
        "than the best one. `overfits`: WER rises somewhere, with or without a fall before. "
        "`flat`: all levels are within the margin of each other. Else `undecided`."
    )
    falls: bool = Field(description="Whether some level has a lower WER than a lower level.")
    rises: bool = Field(description="Whether some level has a higher WER than a lower level.")
    best_level: float = Field(description="Level with the lowest mean WER: where the trend turns if it `overfits`.")
    plausible_levels: list[float] = Field(
        description="Levels that are not shown to be worse than another one: a confidence set of the best level."
    )
    scope: Literal["recipe", "adapter"] = Field(description="`adapter` if a level has one seed only.")
    steps: list[TrendStep] = Field(description="Every pair of levels.")


class LearningCurve(Record):
    """Difference to the base over the amount of training data, a + b n^-c, and the data that a gain needs."""

    outcome: CurveOutcome = Field(
        description="`reached`: the target is reached with the data there is. `reachable`: `needed` is bounded on both "
        "sides. `at_least`: only from below. `out_of_reach`: no amount of data up to the limit reaches the target. "
        "`flat`: no fall from the smallest to the largest amount. `too_few_shares`: fewer than three amounts. "
        "`too_few_seeds`: no amount has two seeds. `undecided`: the data exclude nothing."
    )
    amounts: list[float] = Field(description="Amounts of training data (rows, hours or shares), ascending.")
    differences: list[float] = Field(description="Mean WER minus the base's WER at each amount (fraction).")
    target: float = Field(description="Difference to reach (fraction, negative).")
    floor: float | None = Field(description="a: fitted difference with unlimited data; null if not fitted.")
    scale: float | None = Field(description="b of the fit; null if not fitted.")
    exponent: float | None = Field(description="c of the fit; null if not fitted.")
    needed: float | None = Field(description="Fitted amount at which the target is reached; null if never.")
    needed_low: float | None = Field(description="Lower end of its interval; null if not known.")
    needed_high: float | None = Field(description="Upper end of its interval; null where it is unbounded.")
    limit: float = Field(description="Largest amount to which the curve is extrapolated.")
    confidence: float = Field(description="Confidence level of the interval of `needed`.")


class RecipePower(Record):
    """Smallest WER difference that a comparison of recipes detects with 80 % power, before any run."""

    against: Literal["base", "recipe"] = Field(description="What the recipe is compared with.")
    seeds: int = Field(description="Seeds per recipe.")
    seed_deviation: float = Field(description="Assumed standard deviation of WER between seeds (fraction).")
    unit_variance: float = Field(description="Variance of the difference from speakers or utterances.")
    units: Literal["speakers", "utterances"] = Field(description="The sampling units.")
    units_count: int = Field(description="Their number.")
    detectable_difference: float | None = Field(description="Smallest difference (fraction); null with one seed.")
    target_gain: float = Field(description="WER difference (fraction) to detect.")
    seeds_needed: int | None = Field(description="Seeds that detect `target_gain` on this set; null if more than 20.")
    growth_needed: float | None = Field(
        description="Multiple of this set that detects `target_gain` with these seeds; null if more than 20."
    )
    utterances_needed: int | None = Field(description="The same in utterances.")
    speakers_needed: int | None = Field(description="The same in speakers; null where utterances are the units.")
    limited_by: Literal["nothing", "seeds", "rows", "both"] = Field(
        description="What decides: `nothing` if the target is detectable already; `seeds` or `rows` if more of only "
        "one suffices, or the one that contributes more if either does; `both` if neither alone suffices."
    )
