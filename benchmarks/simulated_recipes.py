"""Word errors of a base and of recipes with several seeds, with known truth, for calibrate_recipes.py.

The base has a WER of 12 %. Half of its errors are shared with every run, 20 % more by all tuned runs, 10 % by runs of
one recipe; the rest is each run's own. Utterances have 3 to 30 words and a log-normal rate (coefficient of variation
0.5), speakers a log-normal rate for each of these parts (coefficient of variation 0.4) and unequal amounts of speech
(Dirichlet 4). A run's expected WER is that of the base plus the effect of its recipe plus a normal effect of its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lora.scoring.seed_intervals import RecipeRuns, recipe_runs

WER = 0.12
SHARED, TUNED, RECIPE, OWN = 0.5, 0.2, 0.1, 0.2
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """One kind of evaluation set and of recipes.

    Attributes:
        speakers: of the evaluation set.
        seeds: runs of each recipe.
        deviations: standard deviation of WER between seeds (fraction), one per recipe.
        effects: WER of each recipe minus that of the base (fraction).
        rows: utterances per speaker on average.
    """

    speakers: int
    seeds: int
    deviations: Sequence[float]
    effects: Sequence[float]
    rows: int = 10


@dataclass(frozen=True)
class Simulated:
    """One evaluation set: the runs of the base and of each recipe."""

    base: RecipeRuns
    recipes: list[RecipeRuns]
    names: list[str]


def simulate(world: World, draw: np.random.Generator) -> Simulated:
    """One evaluation set of this kind."""
    rows = world.speakers * world.rows
    of = draw.choice(world.speakers, rows, p=draw.dirichlet(np.full(world.speakers, 4.0)))
    of[: world.speakers] = range(world.speakers)
    words = draw.integers(3, 31, rows)
    rate = WER * words * factor(draw, (rows,), 0.5)
    count = len(world.effects)
    hard = factor(draw, (3 + count, world.speakers), 0.4)[:, of]
    shared = draw.poisson(SHARED * rate * hard[0])
    base = shared + draw.poisson((1 - SHARED) * rate * hard[1])
    tuned = shared + draw.poisson(TUNED * rate * hard[2])
    by_recipe = tuned + draw.poisson(RECIPE * rate * hard[3:])
    wide = (count, world.seeds, rows)
    runs = by_recipe[:, None, :] + draw.poisson(np.broadcast_to(OWN * rate * hard[3:][:, None, :], wide))
    seeds = draw.normal(0.0, 1.0, (count, world.seeds)) * np.asarray(world.deviations)[:, None]
    scale = np.clip(1 + (np.asarray(world.effects)[:, None] + seeds) / WER, 0.0, None)[:, :, None]
    fewer = draw.binomial(runs, np.broadcast_to(np.minimum(scale, 1.0), wide))
    more = draw.poisson(np.broadcast_to(np.maximum(scale - 1.0, 0.0) * rate * hard[2], wide))
    speakers = [str(speaker) for speaker in of]
    labels = list(range(world.seeds))
    return Simulated(
        base=recipe_runs(base, words.tolist(), speakers),
        recipes=[recipe_runs(table, words.tolist(), speakers, labels) for table in fewer + more],
        names=speakers,
    )


def factor(draw: np.random.Generator, shape: tuple[int, ...], variation: float) -> Numbers:
    """Log-normal with mean 1 and this coefficient of variation."""
    sigma = float(np.sqrt(np.log(1 + variation**2)))
    return np.exp(draw.normal(-(sigma**2) / 2, sigma, shape))
