"""Several recipes at once: adjusted p-values, simultaneous intervals, and whether the best recipe is really the best.

- Each recipe against the base: Holm's step-down p-values (1979, Scandinavian J. of Statistics 6:65), and intervals at
  1 - alpha/K (Bonferroni), which cover together. They remain valid for the recipe that was chosen by looking at them,
  so that a winner needs no rows or seeds that did not choose it. Choosing on half of the speakers and judging on the
  other half finds no more winners from 20 speakers on, and with six it finds false ones, since three speakers are too
  few for an interval (figures in docs/methods.md).
- The best recipe against the others: it is called best if it differs from each other one by an interval that is not
  adjusted. More recipes make this claim harder, not easier: the chance that the first of K equal recipes is separated
  from all others is largest for K = 2, where it is alpha (Gutmann & Maymin 1987, Annals of Statistics 15:456).

The variance between seeds is pooled over all recipes of the grid (see `recipe_difference`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lora.records.recipes import GridComparison, GridWinner
from lora.scoring.seed_intervals import RecipeRuns, pooled_seed_variance, recipe_difference


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm-adjusted p-values in the order given; a missing one counts as 1 and stays missing."""
    count = len(p_values)
    filled = np.asarray([1.0 if p is None else p for p in p_values])
    order = np.argsort(filled, kind="stable")
    stepped = np.maximum.accumulate(filled[order] * (count - np.arange(count)))
    adjusted = np.empty(count)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [None if p is None else float(value) for p, value in zip(p_values, adjusted, strict=True)]


def simultaneous(confidence: float, comparisons: int) -> float:
    """Confidence level of each of several intervals that cover together at `confidence` (Bonferroni)."""
    return 1.0 - (1.0 - confidence) / max(1, comparisons)


def judge_grid(recipes: Mapping[str, RecipeRuns], base: RecipeRuns, confidence: float) -> GridWinner:
    """Compare every recipe with the base, and the best with all others.

    Args:
        recipes: runs of each recipe by name, over the utterances of the base.
        base: the base.
        confidence: of all intervals together, such as 0.95.
    """
    pooled = pooled_seed_variance(list(recipes.values()))
    each = simultaneous(confidence, len(recipes))
    against = {name: recipe_difference(runs, base, each, pooled) for name, runs in recipes.items()}
    adjusted = holm([result.p for result in against.values()])
    comparisons = [
        GridComparison(recipe=name, against_base=result, adjusted_p=p)
        for (name, result), p in zip(against.items(), adjusted, strict=True)
    ]
    winner = min(
        (name for name, result in against.items() if result.difference is not None),
        key=lambda name: against[name].difference or 0.0,
        default=None,
    )
    if winner is None:
        return GridWinner(comparisons=comparisons, winner=None, better_than_base=False, best=False, rivals=[])
    rivals = []
    for name, runs in recipes.items():
        if name != winner:
            gap = recipe_difference(recipes[winner], runs, confidence, pooled)
            if gap.p is None or gap.p > 1.0 - confidence:
                rivals.append(name)
    won = against[winner]
    return GridWinner(
        comparisons=comparisons,
        winner=winner,
        better_than_base=won.p is not None and won.interval.high is not None and won.interval.high < 0,
        best=not rivals,
        rivals=rivals,
    )
