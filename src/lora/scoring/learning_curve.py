"""How much more training data a gain needs, from runs on several amounts of it, or that the runs cannot say.

The difference in WER to the base is taken to fall with the amount n as a + b n^-c (Hestness et al. 2017, arXiv
1712.00409), b >= 0, c from 0.05 to 2, and a at least minus the base's WER. The needed amount N solves a + b N^-c =
target. Its interval is a profile likelihood: N belongs to it if some curve through (N, target) fits the means nearly as
well as the best curve, (chi-square difference) <= t^2. It is unbounded above exactly where the data allow an asymptote
above the target; the percentile bootstrap over seeds and speakers is not (it has a finite end in most such cases, and
covers less often: figures in docs/methods.md).

Errors of the means: what is common to all amounts (the base, hard speakers) has the mean covariance of pairs of
amounts; the rest is each amount's own, from speakers and, pooled over amounts, from seeds. A full covariance matrix
estimated from few speakers would be nearly singular.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from lora.records.recipes import CurveOutcome, LearningCurve, RecipeDifference
from lora.scoring.corpus_wer import Floats, linearised_residuals
from lora.scoring.seed_intervals import RecipeRuns, mean_seed_variance, pooled_seed_variance, recipe_difference
from lora.scoring.variance_parts import VariancePart, satterthwaite

MIN_AMOUNTS = 3  # three parameters
EXPONENTS = np.geomspace(0.05, 2.0, 40)
AMOUNTS = 240  # points of the profile


@dataclass(frozen=True)
class CurvePoints:
    """Differences to the base at ascending amounts.

    Attributes:
        amounts: relative to the largest, shape (L,).
        differences: mean WER minus the base's, shape (L,).
        precision: inverse of the covariance of `differences`, shape (L, L).
        lowest: least possible difference, minus the base's WER.
        degrees: degrees of freedom of the covariance.
    """

    amounts: Floats
    differences: Floats
    precision: Floats
    lowest: float
    degrees: float


def learning_curve(
    recipes: Mapping[float, RecipeRuns], base: RecipeRuns, target_gain: float, most_growth: float, confidence: float
) -> LearningCurve:
    """Amount of data at which the target gain is reached.

    Args:
        recipes: runs by amount of training data (rows, hours or share), all with the same other settings.
        base: the base on the same utterances.
        target_gain: gain to reach (fraction, positive).
        most_growth: largest multiple of the largest amount to extrapolate to, such as 20.
        confidence: of the interval, such as 0.95.

    Raises:
        ValueError: an amount that is not positive, or fewer than two utterances with a reference word.
    """
    amounts = sorted(recipes)
    if amounts and amounts[0] <= 0:
        raise ValueError(f"amounts of training data must be above 0; got {amounts[0]:g}")
    if np.count_nonzero(base.words) < 2:
        raise ValueError("a learning curve needs an evaluation set of two utterances with reference words")
    pooled = pooled_seed_variance(list(recipes.values()))
    differences = [float(recipes[amount].wers.mean() - base.wers[0]) for amount in amounts]
    points = None
    if len(amounts) < MIN_AMOUNTS:
        refused: CurveOutcome = "too_few_shares"
    elif pooled is None:
        refused = "too_few_seeds"
    else:
        refused = "flat"
        # One noise level for all amounts: a fit of four points weighted by variances of three seeds each follows noise.
        points = curve_points(recipes, base, mean_seed_variance(list(recipes.values())))
    if points is None:
        return _answer(refused, amounts, differences, target_gain, most_growth, confidence)
    fit, quality = _best_fit(points)
    needed, low, high = _needed(points, quality, fit, -target_gain, most_growth, confidence)
    last = recipes[amounts[-1]]
    first = recipes[amounts[0]]
    outcome: CurveOutcome
    if _below(recipe_difference(last, base, confidence, pooled), -target_gain):
        outcome = "reached"
    elif not _below(recipe_difference(last, first, confidence, pooled), 0.0):
        outcome = "flat"
    elif np.isnan(low):
        outcome = "out_of_reach"
    elif high < most_growth:
        outcome = "reachable"
    else:
        outcome = "at_least" if low > points.amounts[0] else "undecided"
    answer = _answer(outcome, amounts, differences, target_gain, most_growth, confidence)
    known = outcome in {"reachable", "at_least", "reached"} and not np.isnan(low)
    floor, scale, exponent = fit
    return answer.model_copy(
        update={
            "floor": floor,
            "scale": scale * amounts[-1] ** exponent,
            "exponent": exponent,
            "needed": needed * amounts[-1] if known and np.isfinite(needed) else None,
            "needed_low": low * amounts[-1] if known and low > points.amounts[0] else None,
            "needed_high": high * amounts[-1] if known and high < most_growth else None,
        }
    )


def _below(result: RecipeDifference, bound: float) -> bool:
    return result.p is not None and result.interval.high is not None and result.interval.high < bound


def curve_points(recipes: Mapping[float, RecipeRuns], base: RecipeRuns, of_seeds: VariancePart) -> CurvePoints | None:
    """Means at each amount with the covariance of the module; None if no run differs from another one."""
    amounts = sorted(recipes)
    words = base.units[0].words
    gained = np.stack([recipes[amount].unit_errors.mean(0) - base.units[0].errors for amount in amounts])
    residuals = linearised_residuals(gained, words)
    covariance = residuals @ residuals.T
    count = len(amounts)
    degrees = len(words) - 1
    together = max(0.0, float(covariance[~np.eye(count, dtype=bool)].mean()))
    apart = max(0.0, float(np.diag(covariance).mean()) - together)
    if apart + of_seeds.variance <= 0:
        return None
    seeds = of_seeds.variance / np.asarray([len(recipes[amount].units) for amount in amounts])
    parts = [
        VariancePart(together, degrees),
        VariancePart(apart, degrees * (count - 1)),
        VariancePart(float(seeds.mean()), of_seeds.degrees),
    ]
    precision: Floats = np.linalg.inv(together + np.diag(apart + seeds)).astype(np.float64)
    return CurvePoints(
        amounts=np.asarray(amounts) / amounts[-1],
        differences=gained.sum(1) / words.sum(),
        precision=precision,
        lowest=-float(base.wers[0]),
        degrees=satterthwaite(parts) or float(degrees),
    )


def _best_fit(points: CurvePoints) -> tuple[tuple[float, float, float], float]:
    """(a, b, c) of the best curve over relative amounts, and its chi-square."""
    ones = np.ones(len(points.amounts))
    fits = []
    for exponent in EXPONENTS:
        powers = points.amounts**-exponent
        design = np.stack([ones, powers], 1)
        normal = design.T @ points.precision
        floor, scale = np.linalg.solve(normal @ design, normal @ points.differences)
        if scale < 0:
            floor = float(normal[0] @ points.differences / (normal[0] @ ones))
            scale = 0.0
        if floor < points.lowest:
            floor = points.lowest
            scale = max(0.0, float(normal[1] @ (points.differences - floor) / (normal[1] @ powers)))
        fits.append((_chi_square(points.differences - floor - scale * powers, points), floor, scale, exponent))
    quality, floor, scale, exponent = min(fits)
    return (float(floor), float(scale), float(exponent)), float(quality)


def _needed(
    points: CurvePoints,
    quality: float,
    fit: tuple[float, float, float],
    target: float,
    most_growth: float,
    confidence: float,
) -> tuple[float, float, float]:
    """Fitted amount (inf if never) and the ends of its interval within the profile's range (nan if it is empty)."""
    floor, scale, exponent = fit
    fitted = float((scale / (target - floor)) ** (1 / exponent)) if scale > 0 and floor < target else np.inf
    grid = np.geomspace(points.amounts[0], most_growth, AMOUNTS)
    critical = float(stdtrit(points.degrees, 0.5 + confidence / 2)) ** 2
    inside = grid[profile(points, grid, target) - quality <= critical]
    return (fitted, float(inside[0]), float(inside[-1])) if len(inside) else (fitted, np.nan, np.nan)


def profile(points: CurvePoints, grid: Floats, target: float) -> Floats:
    """Least chi-square of the curves through (n, target) for each relative amount n of the grid, same shape."""
    amounts = grid[:, None, None]
    exponents = EXPONENTS[None, :, None]
    slopes = points.amounts**-exponents - amounts**-exponents  # per unit of b, shape (grid, exponents, L)
    rest = points.differences - target
    weighted = slopes @ points.precision
    curvature = (weighted * slopes).sum(-1)
    most = (target - points.lowest) * amounts[..., 0] ** exponents[..., 0]  # beyond it, a is below the lowest WER
    scale = np.clip((weighted @ rest) / np.maximum(curvature, np.finfo(float).tiny), 0.0, np.maximum(most, 0.0))
    least: Floats = _chi_square(rest - scale[..., None] * slopes, points).min(1)
    return least


def _chi_square(residuals: Floats, points: CurvePoints) -> Floats:
    total: Floats = ((residuals @ points.precision) * residuals).sum(-1)
    return total


def _answer(
    outcome: CurveOutcome,
    amounts: list[float],
    differences: list[float],
    target_gain: float,
    most_growth: float,
    confidence: float,
) -> LearningCurve:
    """An answer without a fit."""
    return LearningCurve(
        outcome=outcome,
        amounts=amounts,
        differences=differences,
        target=-target_gain,
        floor=None,
        scale=None,
        exponent=None,
        needed=None,
        needed_low=None,
        needed_high=None,
        limit=most_growth * amounts[-1] if amounts else 0.0,
        confidence=confidence,
    )
