"""Rejected ways to compare recipes, for the columns of calibrate_recipes.py that say why."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit
from simulated_recipes import Numbers, Simulated

from lora.records.recipes import RecipeDifference
from lora.scoring.learning_curve import EXPONENTS
from lora.scoring.seed_intervals import PooledVariance, RecipeRuns, recipe_difference, recipe_runs


def satterthwaite_covers(result: RecipeDifference, truth: float, confidence: float) -> bool:
    """Whether a single t with Satterthwaite's degrees of freedom covers the true difference."""
    half = float(stdtrit(result.degrees, 0.5 + confidence / 2)) * (result.standard_error or 0.0)
    return abs((result.difference or 0.0) - truth) <= half


def units_cover(result: RecipeDifference, truth: float, confidence: float) -> bool:
    """Whether an interval without the variance between seeds covers the true difference."""
    half = float(stdtrit(result.unit_degrees, 0.5 + confidence / 2)) * math.sqrt(result.unit_variance or 0.0)
    return abs((result.difference or 0.0) - truth) <= half


def pooled_over_all(recipes: Sequence[RecipeRuns]) -> PooledVariance:
    """Variance between seeds pooled over all recipes with equally many seeds, however different they are."""
    degrees = sum(len(recipe.units) - 1 for recipe in recipes)
    return PooledVariance(float(np.mean([recipe.variance for recipe in recipes])), degrees, frozenset())


def split_winner(simulated: Simulated, draw: np.random.Generator, confidence: float) -> tuple[int, bool]:
    """The recipe that is best on a random half of the speakers, and whether it beats the base on the other half."""
    names = np.asarray(simulated.names)
    speakers = np.unique(names)
    chosen = draw.permutation(speakers)[: len(speakers) // 2]
    choosing = np.isin(names, chosen)
    best = min(
        range(len(simulated.recipes)), key=lambda index: simulated.recipes[index].errors[:, choosing].sum(), default=0
    )
    judged = recipe_difference(
        part_of(simulated.recipes[best], names, ~choosing), part_of(simulated.base, names, ~choosing), confidence
    )
    return best, judged.interval.high is not None and judged.interval.high < 0


def part_of(runs: RecipeRuns, names: Numbers, rows: Numbers) -> RecipeRuns:
    return recipe_runs(runs.errors[:, rows], runs.words[rows].tolist(), names[rows].tolist(), runs.seeds)


def bootstrap_needed(
    amounts: Numbers, recipes: list[RecipeRuns], base: RecipeRuns, target: float, draw: np.random.Generator, times: int
) -> tuple[float, float]:
    """Percentile bootstrap (95 %) over seeds and speakers of the amount that a least-squares fit says is needed."""
    words = base.units[0].words
    tuned = np.stack([recipe.unit_errors for recipe in recipes])  # amounts, seeds, speakers
    levels, seeds, speakers = tuned.shape
    weights = draw.multinomial(speakers, np.full(speakers, 1 / speakers), times)
    picked = draw.integers(0, seeds, (times, levels, seeds))
    means = np.stack([tuned[np.arange(levels)[:, None], index].mean(1) for index in picked])
    totals = weights @ words
    differences = np.einsum("bk,blk->bl", weights, means - base.units[0].errors) / totals[:, None]
    low, high = np.quantile(needed_amounts(amounts, differences, target), [0.025, 0.975], method="nearest")
    return float(low), float(high)


def needed_amounts(amounts: Numbers, differences: Numbers, target: float) -> Numbers:
    """Amounts at which least-squares curves reach the target, shape (B,); inf if never."""
    best = np.full(len(differences), np.inf)
    needed = np.full(len(differences), np.inf)
    for exponent in EXPONENTS:
        powers = amounts**-exponent
        centred = powers - powers.mean()
        scale = np.maximum(differences @ centred / (centred @ centred), 0.0)
        floor = differences.mean(1) - scale * powers.mean()
        quality = np.square(differences - floor[:, None] - scale[:, None] * powers).sum(1)
        reach = np.full(len(differences), np.inf)
        falls = (scale > 0) & (floor < target)
        reach[falls] = (scale[falls] / (target - floor[falls])) ** (1 / exponent)
        better = quality < best
        best, needed = np.where(better, quality, best), np.where(better, reach, needed)
    return needed
