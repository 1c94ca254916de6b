"""Tables of calibrate_recipes.py about trends, learning curves and power."""

from __future__ import annotations

from itertools import product

import numpy as np
from recipe_alternatives import bootstrap_needed
from recipe_tables import CONFIDENCE, SPEAKERS, Table, below_zero, points, sets, share, spread
from simulated_recipes import Simulated, World

from lora.records.scores import UtteranceErrors
from lora.scoring.learning_curve import learning_curve
from lora.scoring.recipe_power import RecipePlan, recipe_power
from lora.scoring.seed_intervals import recipe_difference
from lora.scoring.trends import wer_trend

MARGIN = 0.005
LEVELS = (100.0, 200.0, 400.0, 800.0)
TRUTHS = {
    "nothing changes": (0.0, 0.0, 0.0, 0.0),
    "improves": (0.0, -0.01, -0.02, -0.03),
    "improves, then stays": (0.0, -0.03, -0.03, -0.03),
    "improves, then overfits": (0.0, -0.02, -0.01, 0.02),
}
SPREADS = ([0.003] * 4, [0.01] * 4, [0.003] * 3 + [0.01])


def trends(count: int) -> Table:
    """Four levels with three seeds."""
    header = ["truth", "speakers", "deviation between seeds", "improves", "overfits", "undecided"]
    header += ["best level is plausible", "plausible levels"]
    lines = []
    for (truth, effects), speakers, deviations in product(TRUTHS.items(), SPEAKERS, SPREADS):
        best = {level for level, effect in zip(LEVELS, effects, strict=True) if effect == min(effects)}
        results = [
            wer_trend(dict(zip(LEVELS, simulated.recipes, strict=True)), MARGIN, CONFIDENCE)
            for simulated, _ in sets(World(speakers, 3, deviations, effects), count)
        ]
        outcomes = [[result.outcome == name for result in results] for name in ("improves", "overfits", "undecided")]
        within = [best <= set(result.plausible_levels) for result in results]
        size = np.mean([len(result.plausible_levels) for result in results])
        columns = [*map(share, outcomes), share(within), f"{size:.1f} of 4"]
        lines.append([truth, str(speakers), spread(deviations), *columns])
    return Table(header, lines)


AMOUNTS = (0.125, 0.25, 0.5, 1.0)
TARGET, MOST = 0.03, 20.0
CURVES = {  # a, b, c of the true difference over the share of the data
    "needs 2.2 times the data": (-0.04, 0.015, 0.5),
    "needs 6.4 times the data": (-0.04, 0.0186, 0.335),
    "reached with 0.4 of it": (-0.04, 0.005, 0.75),
    "never reaches the target": (-0.025, 0.01, 0.7),
    "flat": (-0.015, 0.0, 1.0),
}
OUTCOMES = ("reached", "reachable", "at_least", "out_of_reach", "flat", "undecided")


def curves(count: int) -> Table:
    """Four shares with three seeds; the target is a gain of three points."""
    header = ["truth", "speakers", "interval contains it", "bounded above"]
    header += [name.replace("_", " ") for name in OUTCOMES]
    header += ["interval contains it, bootstrap", "bounded above, bootstrap"]
    lines = []
    for (truth, (floor, scale, exponent)), speakers in product(CURVES.items(), (20, 60)):
        needed = (scale / (-TARGET - floor)) ** (1 / exponent) if scale and floor < -TARGET else np.inf
        effects = [floor + scale * amount**-exponent for amount in AMOUNTS]
        results, covered, covered_again, bounded_again = [], [], [], []
        for simulated, draw in sets(World(speakers, 3, [0.002] * 4, effects, rows=20), count):
            runs = dict(zip(AMOUNTS, simulated.recipes, strict=True))
            result = learning_curve(runs, simulated.base, TARGET, MOST, CONFIDENCE)
            results.append(result)
            inside = (result.needed_low or 0.0) <= needed <= (result.needed_high or np.inf)
            covered.append(needed > MOST if result.outcome == "out_of_reach" else inside)
            ends = bootstrap_needed(np.asarray(AMOUNTS), simulated.recipes, simulated.base, -TARGET, draw, 200)
            covered_again.append(ends[0] <= needed <= ends[1])
            bounded_again.append(bool(np.isfinite(ends[1])))
        bounded = [result.needed_high is not None for result in results]
        outcomes = [[result.outcome == name for result in results] for name in OUTCOMES]
        columns = (covered, bounded, *outcomes, covered_again, bounded_again)
        lines.append([truth, str(speakers), *map(share, columns)])
    return Table(header, lines)


def power(count: int) -> Table:
    """A recipe that is better by what the forecast from the base says is detectable, with as many seeds."""
    header = ["speakers", "seeds", "deviation between seeds", "detectable, forecast", "detected"]
    lines = []
    for speakers, seeds, deviation in product(SPEAKERS, (2, 3, 5), (0.003, 0.01)):
        forecasts = []
        for simulated, _ in sets(World(speakers, seeds, [], []), count // 4):
            plan = RecipePlan("base", seeds, 1, deviation, 0.01, CONFIDENCE)
            forecast = recipe_power(scored(simulated), plan, assumed_shared_errors=0.5)
            forecasts.append((forecast.detectable_difference if forecast else None) or np.nan)
        gain = float(np.median(forecasts))
        found = [
            below_zero(recipe_difference(simulated.recipes[0], simulated.base, CONFIDENCE))
            for simulated, _ in sets(World(speakers, seeds, [deviation], [-gain]), count)
        ]
        lines.append([str(speakers), str(seeds), points(deviation), f"{100 * gain:.2f}", share(found)])
    return Table(header, lines)


def scored(simulated: Simulated) -> list[UtteranceErrors]:
    """The base's errors as the workflow records them."""
    rows = zip(simulated.base.errors[0].tolist(), simulated.base.words.tolist(), simulated.names, strict=True)
    return [
        UtteranceErrors(
            id=str(number),
            duration=1.0,
            speaker_id=speaker,
            words=words,
            hits=0,
            substitutions=errors,
            deletions=0,
            insertions=0,
        )
        for number, (errors, words, speaker) in enumerate(rows)
    ]
