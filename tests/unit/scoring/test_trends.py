"""WER against an ordered factor: planted trends, and none where there is none."""

import numpy as np
import pytest

from lora.scoring.seed_intervals import recipe_runs
from lora.scoring.trends import wer_trend

UTTERANCES = 300
WORDS = [10] * UTTERANCES


def levels(rates, seeds=3, start=0):
    return {
        100.0 * 2**index: recipe_runs(
            np.random.default_rng(start + index).poisson(rate, (seeds, UTTERANCES)),
            WORDS,
            [None] * UTTERANCES,
            range(seeds),
        )
        for index, rate in enumerate(rates)
    }


@pytest.mark.parametrize(
    ("rates", "outcome", "falls", "rises", "best"),
    [
        ((3.0, 2.4, 1.8, 1.2), "improves", True, False, 800.0),
        ((2.0, 1.2, 2.0, 2.8), "overfits", True, True, 200.0),
        ((1.0, 1.6, 2.2, 2.8), "overfits", False, True, 100.0),
        ((2.0, 2.0, 2.0, 2.0), "undecided", False, False, None),
    ],
)
def test_planted_trends(rates, outcome, falls, rises, best):
    result = wer_trend(levels(rates), 0.005, 0.95)
    assert (result.outcome, result.falls, result.rises) == (outcome, falls, rises)
    if best is None:
        assert result.plausible_levels == result.levels
    else:
        assert (result.best_level, result.plausible_levels) == (best, [best])
    assert len(result.steps) == 6
    assert result.steps[0].interval.confidence == pytest.approx(1 - 0.05 / 6)


def test_a_plateau_leaves_two_plausible_levels():
    result = wer_trend(levels((3.0, 1.5, 1.5, 3.0)), 0.005, 0.95)
    assert (result.outcome, result.plausible_levels) == ("overfits", [200.0, 400.0])


def test_levels_within_the_margin_are_flat_and_the_margin_decides():
    same = levels((2.0, 2.0, 2.0))
    assert wer_trend(same, 0.05, 0.95).outcome == "flat"
    assert wer_trend(same, 0.005, 0.95).outcome == "undecided"


def test_identical_runs_are_flat():
    runs = levels((2.0,))[100.0]
    result = wer_trend({1.0: runs, 2.0: runs}, 0.005, 0.95)
    assert (result.outcome, result.steps[0].adjusted_p) == ("flat", None)


def test_levels_are_sorted_and_one_seed_is_marked():
    three = levels((3.0, 1.0))
    shuffled = wer_trend({200.0: three[200.0], 100.0: three[100.0]}, 0.005, 0.95)
    assert (shuffled.levels, shuffled.outcome, shuffled.scope) == ([100.0, 200.0], "improves", "recipe")
    assert wer_trend(levels((3.0, 1.0), seeds=1), 0.005, 0.95).scope == "adapter"


def test_a_diverged_seed_is_no_trend():
    planted = levels((2.0, 2.0, 2.0))
    last = planted[400.0]
    errors = last.errors.copy()
    errors[0] = 10
    planted[400.0] = recipe_runs(errors, WORDS, [None] * UTTERANCES, last.seeds)
    assert wer_trend(planted, 0.005, 0.95).outcome == "undecided"


def test_unusable_levels_are_errors():
    with pytest.raises(ValueError, match="two levels"):
        wer_trend(levels((2.0,)), 0.005, 0.95)
    silent = recipe_runs([0, 0], [0, 0], [None, None])
    with pytest.raises(ValueError, match="reference words"):
        wer_trend({1.0: silent, 2.0: silent}, 0.005, 0.95)


def test_a_rise_that_unstable_seeds_cannot_show_is_no_improvement():
    made = levels((3.0, 1.5, 1.5))
    stable = made[200.0].errors[0]
    # the highest level: seeds that are 5, 20 and 30 points worse than the best level
    unstable = np.stack([stable + (np.arange(UTTERANCES) % 2), stable + 2, stable + 3])
    made[400.0] = recipe_runs(unstable, WORDS, [None] * UTTERANCES, range(3))
    result = wer_trend(made, 0.005, 0.95)
    assert (result.falls, result.rises, result.outcome) == (True, False, "undecided")
    made[400.0] = levels((3.0, 1.5, 1.5), start=7)[400.0]
    assert wer_trend(made, 0.02, 0.95).outcome == "improves"
