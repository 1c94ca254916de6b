"""Difference in mean corpus WER of a recipe over its training seeds, for other seeds and other speakers.

Every run of a recipe transcribes the same utterances, so seeds and speakers are crossed. Its error has two parts:

- from speakers (utterances with too few speakers): the linearised ratio estimator of `corpus_wer` for the errors
  averaged over seeds, V_K with K-1 degrees of freedom;
- from seeds: the variance of the runs' WERs over the number of seeds, V_S with S-1 degrees of freedom.

V_K + V_S estimates the variance of the two-way random effects model and contains the interaction of seed and speaker
twice, so it is slightly too large (the pigeonhole bound of Owen 2007, Annals of Applied Statistics 1:386). The
subtraction of Cameron, Gelbach & Miller (2011, J. Business & Economic Statistics 29:238) is right for many clusters in
both directions and useless with two or three seeds.

Both parts enter the interval with their own degrees of freedom, see `variance_parts`.

With three seeds V_S has two degrees of freedom. Where several recipes have repeated seeds, their variances are pooled,
except those of recipes whose seeds vary significantly more than the others' (`pooled_seed_variance`): one overfitted
recipe would widen the interval of every stable one, and borrow the stable ones' degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import fdtrc

from lora.records.recipes import RecipeDifference
from lora.records.scores import Interval
from lora.scoring.corpus_wer import Floats, Units, no_interval, ratio_variance, sums_by_unit, unit_numbers
from lora.scoring.paired import MIN_CHANGED, harm_bound
from lora.scoring.variance_parts import VariancePart, half_width, p_value, satterthwaite

Ints = npt.NDArray[np.int64]
UNEQUAL = 0.1  # level of the test that leaves a recipe out of the pooled variance; calibrated in docs/methods.md


@dataclass(frozen=True, eq=False)
class RecipeRuns:
    """Errors of a recipe's runs over one evaluation set.

    Attributes:
        errors: word errors per run and utterance, shape (S, U).
        words: reference words per utterance, shape (U,).
        units: the sampling units with the errors of each run.
        seeds: the seed of each run; None for one run that was not trained, such as the base.
    """

    errors: Ints
    words: Ints
    units: tuple[Units, ...]
    seeds: tuple[int, ...] | None

    @property
    def unit_errors(self) -> Floats:
        """Errors per run and unit, shape (S, K)."""
        return np.stack([unit.errors for unit in self.units])

    @property
    def wers(self) -> Floats:
        """Corpus WER of each run, shape (S,)."""
        wers: Floats = self.errors.sum(1) / self.words.sum()
        return wers

    @property
    def variance(self) -> float:
        """Variance of WER between seeds; 0 for one run."""
        return float(self.wers.var(ddof=1)) if len(self.units) > 1 else 0.0


def recipe_runs(
    errors: npt.ArrayLike, words: Sequence[int], speakers: Sequence[str | None], seeds: Sequence[int] | None = None
) -> RecipeRuns:
    """Runs of one recipe over the same utterances.

    Args:
        errors: word errors, shape (S, U), or (U,) for one run.
        words: reference words of each utterance.
        speakers: speaker of each utterance; None if not known.
        seeds: the seed of each run; None for the base.

    Raises:
        ValueError: shapes do not fit, seeds repeat, or several runs have no seeds.
    """
    table = np.atleast_2d(np.asarray(errors, dtype=np.int64))
    if table.shape[1] != len(words) or len(words) != len(speakers):
        raise ValueError(f"errors has shape {table.shape} for {len(words)} words and {len(speakers)} speakers")
    if seeds is None and len(table) != 1:
        raise ValueError(f"errors has {len(table)} runs; pass their seeds")
    if seeds is not None and (len(seeds) != len(table) or len(set(seeds)) != len(seeds)):
        raise ValueError(f"seeds is {list(seeds)} for {len(table)} runs; pass one different seed per run")
    numbers = unit_numbers(speakers)
    units = tuple(sums_by_unit(row, words, numbers) for row in table)
    return RecipeRuns(table, np.asarray(words, dtype=np.int64), units, None if seeds is None else tuple(seeds))


@dataclass(frozen=True)
class PooledVariance:
    """Variance of one run's WER between seeds, from several recipes.

    Attributes:
        variance: pooled over the recipes whose seeds vary alike.
        degrees: its degrees of freedom.
        apart: recipes whose seeds vary significantly more; each keeps its own variance.
    """

    variance: float
    degrees: float
    apart: frozenset[RecipeRuns]

    def of_mean(self, recipe: RecipeRuns) -> VariancePart:
        """Variance of a recipe's mean WER from its seeds.

        A variance above the pooled one stays, so that an unstable recipe does not borrow the others' stability.
        """
        count = len(recipe.units)
        if recipe in self.apart:
            return VariancePart(recipe.variance / count, count - 1)
        return VariancePart(max(recipe.variance, self.variance) / count, self.degrees)


def pooled_seed_variance(recipes: Sequence[RecipeRuns]) -> PooledVariance | None:
    """Variance of one run's WER between seeds, pooled over recipes; None if no recipe has two seeds.

    The recipe with the most improbable variance is left apart while an F test against the pooled variance of the rest
    finds it larger at UNEQUAL / (number of recipes): Cochran's test for the largest variance (1941, Annals of Eugenics
    11:47), in the form of 't Lam (2010, Analytica Chimica Acta 659:68) for unequal degrees of freedom.
    """
    kept = [recipe for recipe in recipes if len(recipe.units) > 1 and recipe.words.any()]
    if not kept:
        return None
    apart = set()
    while len(kept) > 1:
        tests = [_p_larger(recipe, kept[:at] + kept[at + 1 :]) for at, recipe in enumerate(kept)]
        smallest = min(range(len(kept)), key=tests.__getitem__)
        if tests[smallest] >= UNEQUAL / len(kept):
            break
        apart.add(kept.pop(smallest))
    pooled = mean_seed_variance(kept)
    return PooledVariance(pooled.variance, pooled.degrees, frozenset(apart))


def mean_seed_variance(recipes: Sequence[RecipeRuns]) -> VariancePart:
    """Mean variance of one run's WER, weighted by degrees of freedom; at least one recipe must have two seeds."""
    degrees = sum(len(recipe.units) - 1 for recipe in recipes)
    return VariancePart(sum((len(recipe.units) - 1) * recipe.variance for recipe in recipes) / degrees, degrees)


def _p_larger(recipe: RecipeRuns, others: Sequence[RecipeRuns]) -> float:
    """One-sided p-value of the F test that a recipe's seeds vary more than the others'.

    Returns:
        1 where the others do not vary at all: equal error counts come from small sets and are no measure of stability.
    """
    rest = mean_seed_variance(others)
    if not rest.variance:
        return 1.0
    return float(fdtrc(len(recipe.units) - 1, rest.degrees, recipe.variance / rest.variance))


def recipe_difference(
    recipe: RecipeRuns, other: RecipeRuns, confidence: float, pooled: PooledVariance | None = None
) -> RecipeDifference:
    """Mean WER of a recipe minus that of another recipe or of the base.

    Runs of two recipes with exactly the same seeds are paired by seed: the same seed shares batch order and
    initialisation. Otherwise, and with `pooled`, seeds of both sides are independent.

    Args:
        recipe: runs of the recipe.
        other: runs of the other recipe, or the base.
        confidence: of the interval, such as 0.95.
        pooled: variance between seeds from several recipes, in place of those of the two sides.

    Raises:
        ValueError: the two sides have different utterances.
    """
    if not np.array_equal(recipe.words, other.words):
        raise ValueError("both recipes must contain the same utterances in the same order")
    paired = _same_seeds(recipe, other) and pooled is None
    single = len(recipe.units) == 1 or (other.seeds is not None and len(other.units) == 1)
    total = int(recipe.words.sum())
    units = recipe.units[0]
    mean = Units(recipe.unit_errors.mean(0) - other.unit_errors.mean(0), units.words, units.name)
    by_seed = _differences_by_seed(recipe, other, paired) if total else np.zeros(0)
    has_units = total > 0 and len(units.words) > 1
    unit_part = VariancePart(ratio_variance(mean), len(units.words) - 1) if has_units else None
    seed_part = None if single or not total else _seed_part(recipe, other, by_seed, paired, pooled)
    parts = [part for part in (unit_part, seed_part) if part is not None]
    variance = sum(part.variance for part in parts)
    estimate = float(mean.errors.sum()) / total if total else None
    moved = np.sign(recipe.errors.sum(0) * len(other.units) - other.errors.sum(0) * len(recipe.units))
    changed = int(np.count_nonzero(moved))
    why = _why_none(total, has_units, changed, variance)
    interval = no_interval(confidence, why) if why or estimate is None else _interval(estimate, parts, mean, confidence)
    known = interval.low is not None
    return RecipeDifference(
        difference=estimate,
        seed_differences=by_seed.tolist(),
        standard_error=math.sqrt(variance) if known else None,
        interval=interval,
        scope="adapter" if single else "recipe",
        seeds=len(recipe.units),
        other_seeds=len(other.units),
        paired_seeds=paired,
        unit_variance=unit_part.variance if unit_part else None,
        unit_degrees=len(units.words) - 1,
        seed_variance=seed_part.variance if seed_part else 0.0,
        seed_degrees=seed_part.degrees if seed_part else None,
        seed_share=seed_part.variance / variance if seed_part and variance else None,
        degrees=satterthwaite(parts) if known else None,
        changed_errors=changed,
        p=p_value(estimate, parts) if known and estimate is not None and changed >= MIN_CHANGED else None,
        harm_bound=harm_bound(interval, moved.tolist()),
    )


def p_below(result: RecipeDifference, threshold: float) -> float | None:
    """p-value of a difference below a threshold: at most 1 - confidence where the interval's upper end is below it.

    Where fewer than 6 utterances changed, the exact `harm_bound` decides: 1 - confidence if it is below the threshold.

    Returns:
        1 where the difference is not below the threshold; None where nothing is known.
    """
    if result.difference is None or result.unit_variance is None:
        return None
    if result.changed_errors < MIN_CHANGED:
        within = result.harm_bound is not None and result.harm_bound < threshold
        return 1.0 - result.interval.confidence if within else None
    if result.difference >= threshold:
        return 1.0
    parts = [VariancePart(result.unit_variance, result.unit_degrees)]
    if result.seed_degrees is not None:
        parts.append(VariancePart(result.seed_variance, result.seed_degrees))
    return p_value(result.difference - threshold, parts)


def _same_seeds(recipe: RecipeRuns, other: RecipeRuns) -> bool:
    return recipe.seeds is not None and other.seeds is not None and set(recipe.seeds) == set(other.seeds)


def _differences_by_seed(recipe: RecipeRuns, other: RecipeRuns, paired: bool) -> Floats:
    subtracted: Floats = np.full(len(recipe.wers), other.wers.mean())
    if paired and recipe.seeds is not None and other.seeds is not None:
        subtracted = other.wers[[other.seeds.index(seed) for seed in recipe.seeds]]
    differences: Floats = recipe.wers - subtracted
    return differences


def _seed_part(
    recipe: RecipeRuns, other: RecipeRuns, differences: Floats, paired: bool, pooled: PooledVariance | None
) -> VariancePart:
    """Variance of the difference from seeds; both sides have two or more seeds, or the other one is the base."""
    if paired:
        count = len(differences)
        return VariancePart(float(differences.var(ddof=1)) / count, count - 1)
    trained = [side for side in (recipe, other) if side.seeds is not None]
    if pooled is not None:
        parts = [pooled.of_mean(side) for side in trained]
        if not pooled.apart.intersection(trained):
            return VariancePart(sum(part.variance for part in parts), pooled.degrees)
    else:
        parts = [VariancePart(side.variance / len(side.units), len(side.units) - 1) for side in trained]
    return VariancePart(
        sum(part.variance for part in parts), satterthwaite(parts) or min(part.degrees for part in parts)
    )


def _interval(estimate: float, parts: Sequence[VariancePart], units: Units, confidence: float) -> Interval:
    half = half_width(parts, confidence)
    degrees = ", ".join(f"t({part.degrees:.3g})" for part in parts)
    method = f"linearised ratio by {units.name}{' and seeds' if len(parts) > 1 else ''}, {degrees}"
    return Interval(low=estimate - half, high=estimate + half, confidence=confidence, method=method, scope=units.scope)


def _why_none(total: int, has_units: bool, changed: int, variance: float) -> str:
    """Why there is no interval; empty if there is one."""
    if not total:
        return "no reference word: no WER"
    if not has_units:
        return "one utterance: no interval"
    if not changed:
        return "no utterance has another number of errors"
    return "" if variance > 0 else "the difference is the same in all units and seeds"
