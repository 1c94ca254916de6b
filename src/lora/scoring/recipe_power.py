"""The smallest difference between recipes that a set and a number of seeds can show, before any run.

The variance from speakers or utterances is that of `power` (from the base's errors and the share that two runs are
assumed to share, or observed on a short run). Seeds add the squared deviation between seeds over their number, for both
sides where two recipes are compared. Both parts enter with their own quantiles of t, as in `seed_intervals`: what is
detected with 80 % power is the half width plus the 80 % quantiles. The deviation between seeds is an assumption until
runs with several seeds exist; then `pooled_seed_variance` replaces it.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from lora.records.recipes import RecipeDifference, RecipePower
from lora.records.scores import MOST_TIMES, UtteranceErrors
from lora.scoring.corpus_wer import ratio_variance, sampling_units
from lora.scoring.paired import MIN_CHANGED
from lora.scoring.power import POWER, forecast_power
from lora.scoring.variance_parts import VariancePart, half_width


@dataclass(frozen=True)
class RecipePlan:
    """What is fixed before the runs.

    Attributes:
        against: the base, or another recipe with as many seeds.
        seeds: per recipe.
        recipes: recipes of the grid, whose variance between seeds is pooled.
        seed_deviation: assumed standard deviation of WER between seeds (fraction).
        target_gain: WER difference (fraction) to detect.
        confidence: of the two-sided test; that of one of several simultaneous ones for a grid.
    """

    against: Literal["base", "recipe"]
    seeds: int
    recipes: int
    seed_deviation: float
    target_gain: float
    confidence: float


def recipe_power(
    scored: Sequence[UtteranceErrors],
    plan: RecipePlan,
    assumed_shared_errors: float,
    short_run: Sequence[UtteranceErrors] | None = None,
) -> RecipePower | None:
    """Power of a comparison of recipes; None where the base alone has no forecast (see `forecast_power`).

    Args:
        scored: errors of the base.
        plan: seeds, recipes and target.
        assumed_shared_errors: share of errors that two runs are assumed to share, without `short_run`.
        short_run: errors of one adapter on the same utterances, whose differences replace that assumption.

    Raises:
        ValueError: `short_run` has other utterances, or the plan has no seed.
    """
    if plan.seeds < 1:
        raise ValueError(f"seeds is {plan.seeds}; a recipe needs at least one run")
    forecast = forecast_power(scored, assumed_shared_errors, plan.target_gain, plan.confidence)
    if forecast is None:
        return None
    variance = forecast.standard_error**2
    if short_run is not None:
        variance = _observed_variance(scored, short_run) or variance
    count = forecast.speakers or forecast.utterances
    return _power(plan, variance, forecast.units, count, forecast.utterances)


def observed_power(result: RecipeDifference, plan: RecipePlan, utterances: int) -> RecipePower | None:
    """What would decide a comparison that was run: its variances in place of the assumed ones.

    Args:
        result: the comparison; None is returned if it has no interval.
        plan: seeds, recipes and target; its deviation between seeds counts only where a side has one seed.
        utterances: of the evaluation set.
    """
    if result.unit_variance is None or result.interval.low is None:
        return None
    if result.seed_degrees is not None:
        deviation = math.sqrt(result.seed_variance * result.seeds / _sides(plan))
        plan = replace(plan, seed_deviation=deviation)
    units: Literal["speakers", "utterances"] = "speakers" if result.interval.scope == "speakers" else "utterances"
    return _power(plan, result.unit_variance, units, result.unit_degrees + 1, utterances)


def _power(
    plan: RecipePlan, variance: float, units: Literal["speakers", "utterances"], count: int, utterances: int
) -> RecipePower:
    detectable = _detectable(plan, variance, count, plan.seeds)
    seeds_needed = next(
        (seeds for seeds in range(2, MOST_TIMES + 1) if _reached(plan, _detectable(plan, variance, count, seeds))), None
    )
    units_needed = _units_needed(plan, variance, count)
    growth = None if units_needed is None else units_needed / count
    return RecipePower(
        against=plan.against,
        seeds=plan.seeds,
        seed_deviation=plan.seed_deviation,
        unit_variance=variance,
        units=units,
        units_count=count,
        detectable_difference=detectable,
        target_gain=plan.target_gain,
        seeds_needed=seeds_needed,
        growth_needed=growth,
        utterances_needed=None if growth is None else math.ceil(round(utterances * growth, 6)),
        speakers_needed=units_needed if units == "speakers" else None,
        limited_by=_limit(plan, variance, count, detectable, seeds_needed, units_needed),
    )


def _observed_variance(scored: Sequence[UtteranceErrors], short_run: Sequence[UtteranceErrors]) -> float | None:
    """Variance of the WER difference of one adapter; None where nothing changed, which shows no variance."""
    if [entry.id for entry in scored] != [entry.id for entry in short_run]:
        raise ValueError("the base and the short run must contain the same utterances in the same order")
    differences = [tuned.errors - base.errors for base, tuned in zip(scored, short_run, strict=True)]
    if sum(value != 0 for value in differences) < MIN_CHANGED:
        return None
    words = [entry.words for entry in scored]
    return ratio_variance(sampling_units(differences, words, [entry.speaker_id for entry in scored]))


def _sides(plan: RecipePlan) -> int:
    """Sides of the comparison that have seeds."""
    return 1 if plan.against == "base" else 2


def _parts(plan: RecipePlan, variance: float, units: int, seeds: int) -> list[VariancePart]:
    recipes = max(plan.recipes, _sides(plan))
    return [
        VariancePart(variance, units - 1),
        VariancePart(_sides(plan) * plan.seed_deviation**2 / seeds, recipes * (seeds - 1)),
    ]


def _detectable(plan: RecipePlan, variance: float, units: int, seeds: int) -> float | None:
    """Difference that is detected with 80 % power; None for one seed, which is no evidence about a recipe."""
    if seeds < 2:
        return None
    parts = _parts(plan, variance, units, seeds)
    return half_width(parts, plan.confidence) + half_width(parts, 2 * POWER - 1)


def _reached(plan: RecipePlan, detectable: float | None) -> bool:
    return detectable is not None and detectable <= plan.target_gain


def _units_needed(plan: RecipePlan, variance: float, count: int) -> int | None:
    """Fewest speakers or utterances, at least those there are, that detect the target; None if more than 20 times."""
    choices = range(count, MOST_TIMES * count + 1)
    first = bisect_left(
        choices,
        True,
        key=lambda units: _reached(plan, _detectable(plan, variance * count / units, units, plan.seeds)),
    )
    return choices[first] if first < len(choices) else None


def _limit(
    plan: RecipePlan,
    variance: float,
    count: int,
    detectable: float | None,
    seeds_needed: int | None,
    units_needed: int | None,
) -> Literal["nothing", "seeds", "rows", "both"]:
    if _reached(plan, detectable):
        return "nothing"
    if seeds_needed is None and units_needed is None:
        return "both"
    if seeds_needed is None or units_needed is None:
        return "rows" if seeds_needed is None else "seeds"
    from_units, from_seeds = (half_width([part], plan.confidence) for part in _parts(plan, variance, count, plan.seeds))
    return "rows" if from_units > from_seeds else "seeds"
