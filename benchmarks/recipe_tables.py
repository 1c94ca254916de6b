"""Tables of calibrate_recipes.py about differences and winners: from a number of simulated sets to header and lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from recipe_alternatives import pooled_over_all, satterthwaite_covers, split_winner, units_cover
from simulated_recipes import Simulated, World, simulate

from lora.records.recipes import RecipeDifference
from lora.scoring.multiplicity import judge_grid
from lora.scoring.seed_intervals import RecipeRuns, pooled_seed_variance, recipe_difference
from lora.scoring.variance_parts import VariancePart, half_width, satterthwaite

CONFIDENCE, SEED = 0.95, 11
SPEAKERS = (6, 20, 60)


@dataclass(frozen=True)
class Table:
    header: list[str]
    lines: list[list[str]]

    def markdown(self) -> str:
        rows = [self.header, ["---"] * len(self.header), *self.lines]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows).replace("| --- ", "|---").replace("--- |", "---|")


def sets(world: World, count: int) -> Iterator[tuple[Simulated, np.random.Generator]]:
    """Seeded evaluation sets of one kind, each with a generator of its own."""
    for number in range(count):
        draw = np.random.default_rng([SEED, number, world.speakers, world.seeds])
        yield simulate(world, draw), draw


def share(values: Sequence[bool]) -> str:
    return f"{100 * np.mean(values):.1f} %"


def points(fraction: float) -> str:
    return f"{100 * fraction:.1f}"


def spread(deviations: Sequence[float]) -> str:
    """Ascending deviations between seeds in points: `0.3`, `0.3 (1 of 4: 1.0)`, or `0.1 to 3.0`."""
    first, last = points(deviations[0]), points(deviations[-1])
    if len(set(deviations)) > 2:
        return f"{first} to {last}"
    different = list(deviations).count(deviations[-1])
    return first if first == last else f"{first} ({different} of {len(deviations)}: {last})"


def named(simulated: Simulated) -> dict[str, RecipeRuns]:
    return {str(number): runs for number, runs in enumerate(simulated.recipes)}


def covers(result: RecipeDifference, truth: float) -> bool:
    low, high = result.interval.low, result.interval.high
    return low is not None and high is not None and low <= truth <= high


def below_zero(result: RecipeDifference) -> bool:
    return result.interval.high is not None and result.interval.high < 0


def width(results: Sequence[RecipeDifference]) -> str:
    """Median half width in points."""
    return f"{100 * np.median([(result.interval.high or 0.0) - (result.difference or 0.0) for result in results]):.2f}"


def parts(count: int) -> Table:
    """Normal estimates without an effect, whose seeds have so many times the variance of the speakers."""
    header = ["speakers", "seeds", "variance of seeds / of speakers", "error at 5 %", "error at 0.5 %"]
    header += ["error at 5 %, Satterthwaite", "error at 0.5 %, Satterthwaite"]
    lines = []
    for speakers, seeds, ratio in product((20, 60), (2, 3, 5), (0.1, 1.0, 3.0)):
        draw = np.random.default_rng([SEED, speakers, seeds, round(10 * ratio)])
        wrong: dict[float, list[tuple[bool, bool]]] = {0.95: [], 0.995: []}
        for estimate in np.abs(draw.normal(0.0, np.sqrt(1 + ratio), count)):
            of_speakers = VariancePart(draw.chisquare(speakers - 1) / (speakers - 1), speakers - 1)
            of_seeds = VariancePart(ratio * draw.chisquare(seeds - 1) / (seeds - 1), seeds - 1)
            both = [of_speakers, of_seeds]
            single = [VariancePart(of_speakers.variance + of_seeds.variance, satterthwaite(both) or 1.0)]
            for confidence, found in wrong.items():
                found.append((estimate > half_width(both, confidence), estimate > half_width(single, confidence)))
        columns = [[pair[which] for pair in wrong[level]] for which in (0, 1) for level in (0.95, 0.995)]
        lines.append([str(speakers), str(seeds), f"{ratio:g}", *(f"{100 * np.mean(each):.2f} %" for each in columns)])
    return Table(header, lines)


def intervals(count: int) -> Table:
    """Two recipes that equal the base."""
    header = [
        "speakers",
        "seeds",
        "deviation between seeds",
        "coverage, against the base",
        "coverage, against a recipe",
    ]
    header += ["half width", "coverage, Satterthwaite", "coverage, seeds ignored"]
    lines = []
    for speakers, seeds, deviation in product(SPEAKERS, (1, 2, 3, 5), (0.0, 0.003, 0.01)):
        results = []
        against_recipe = []
        for simulated, _ in sets(World(speakers, seeds, [deviation] * 2, [0.0] * 2), count):
            first, second = simulated.recipes
            results.append(recipe_difference(first, simulated.base, CONFIDENCE))
            against_recipe.append(covers(recipe_difference(first, second, CONFIDENCE), 0.0))
        lines.append(
            [
                str(speakers),
                str(seeds),
                points(deviation),
                share([covers(result, 0.0) for result in results]),
                share(against_recipe),
                width(results),
                share([satterthwaite_covers(result, 0.0, CONFIDENCE) for result in results]),
                share([units_cover(result, 0.0, CONFIDENCE) for result in results]),
            ]
        )
    return Table(header, lines)


POOLS = [  # seeds, deviations of six recipes
    (3, [0.003] * 6),
    (3, [0.003] * 5 + [0.03]),
    (3, [0.003] * 3 + [0.03] * 3),
    (3, [0.001, 0.003, 0.003, 0.01, 0.01, 0.03]),
    (5, [0.003] * 5 + [0.03]),
]


def pooling(count: int) -> Table:
    """Six recipes that equal the base: the first, whose seeds vary least, and the last, whose seeds vary most."""
    header = ["speakers", "seeds", "deviation between seeds"]
    for which in ("stable", "unstable"):
        header += [f"coverage, {which}", f"half width, {which}"]
    header += [f"{name}, all pooled" for name in header[3:]]
    lines = []
    for speakers, (seeds, deviations) in product(SPEAKERS[1:], POOLS):
        columns: list[list[RecipeDifference]] = [[], [], [], []]
        for simulated, _ in sets(World(speakers, seeds, deviations, [0.0] * 6), count):
            pools = (pooled_seed_variance(simulated.recipes), pooled_over_all(simulated.recipes))
            compared = [(pool, simulated.recipes[which]) for pool in pools for which in (0, -1)]
            for column, (pool, recipe) in zip(columns, compared, strict=True):
                column.append(recipe_difference(recipe, simulated.base, CONFIDENCE, pool))
        found = [text for column in columns for text in (share([covers(each, 0.0) for each in column]), width(column))]
        lines.append([str(speakers), str(seeds), spread(deviations), *found])
    return Table(header, lines)


GRIDS = [  # seeds, deviations of six recipes
    (3, [0.003] * 6),
    (3, [0.01] * 6),
    (5, [0.01] * 6),
    (3, [0.003] * 5 + [0.01]),
]


def grids(count: int) -> Table:
    """Six recipes that equal the base; then the first of them is two points better."""
    header = [
        "speakers",
        "seeds",
        "deviation between seeds",
        "false winner",
        "falsely best",
        "false winner, unadjusted",
    ]
    header += ["false winner, split", "found", "found best", "found, split"]
    lines = []
    for speakers, (seeds, deviations) in product(SPEAKERS, GRIDS):
        false_winner, falsely_best, unadjusted, split = [], [], [], []
        for simulated, draw in sets(World(speakers, seeds, deviations, [0.0] * 6), count):
            judged = judge_grid(named(simulated), simulated.base, CONFIDENCE)
            false_winner.append(judged.better_than_base)
            falsely_best.append(judged.best)
            plain = [recipe_difference(runs, simulated.base, CONFIDENCE) for runs in simulated.recipes]
            unadjusted.append(any(below_zero(result) for result in plain))
            split.append(split_winner(simulated, draw, CONFIDENCE)[1])
        found, found_best, found_split = [], [], []
        for simulated, draw in sets(World(speakers, seeds, deviations, [-0.02] + [0.0] * 5), count):
            judged = judge_grid(named(simulated), simulated.base, CONFIDENCE)
            found.append(judged.winner == "0" and judged.better_than_base)
            found_best.append(judged.winner == "0" and judged.best)
            found_split.append(split_winner(simulated, draw, CONFIDENCE) == (0, True))
        columns = (false_winner, falsely_best, unadjusted, split, found, found_best, found_split)
        lines.append([str(speakers), str(seeds), spread(deviations), *map(share, columns)])
    return Table(header, lines)
