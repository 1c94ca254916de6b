"""Differences of recipes over seeds by hand, and sets and runs that decide nothing."""

import math

import numpy as np
import pytest
from scipy.special import stdtr

from lora.scoring.corpus_wer import ratio_interval, sampling_units
from lora.scoring.seed_intervals import pooled_seed_variance, recipe_difference, recipe_runs
from lora.scoring.variance_parts import VariancePart, half_width, p_value, satterthwaite

NONE = [None] * 10
WORDS = [10] * 10
BASE = [2, 1, 3, 2, 1, 4, 2, 3, 1, 2]


def runs(errors, seeds=None, words=WORDS, speakers=None):
    return recipe_runs(errors, words, speakers or [None] * len(words), seeds)


def test_seeds_and_utterances_by_hand():
    # differences (1, 3) and (2, 4) of 20 words: 0.2 and 0.3, V_S = 0.005 / 2 with 1 degree of freedom;
    # their mean (1.5, 3.5) has residuals -1 and 1 over the others' share 0.5: V_K = (2^2 + 2^2) / 20^2;
    # t(1) at 0.975 is 12.7062
    words = [10, 10]
    base = runs([1, 1], words=words)
    result = recipe_difference(runs([[2, 4], [3, 5]], [1, 2], words), base, 0.95)
    assert result.difference == pytest.approx(0.25)
    assert result.seed_differences == pytest.approx([0.2, 0.3])
    assert (result.unit_variance, result.unit_degrees) == (pytest.approx(0.02), 1)
    assert (result.seed_variance, result.seed_degrees) == (pytest.approx(0.0025), 1)
    assert result.standard_error == pytest.approx(0.15)
    assert result.seed_share == pytest.approx(1 / 9)
    assert result.degrees == pytest.approx(0.0225**2 / (0.02**2 + 0.0025**2))
    assert result.interval.high - result.interval.low == pytest.approx(2 * 12.7062047 * 0.15)
    assert (result.scope, result.interval.scope) == ("recipe", "these_speakers")
    assert (result.changed_errors, result.p) == (2, None)


def test_parts_enter_with_their_own_quantiles():
    # t(2) at 0.975 is 4.302653, t(19) 2.093024
    parts = [VariancePart(0.04, 19), VariancePart(0.01, 2)]
    assert half_width(parts, 0.95) == pytest.approx(math.sqrt(0.04 * 2.093024**2 + 0.01 * 4.302653**2), rel=1e-6)
    assert satterthwaite(parts) == pytest.approx(0.05**2 / (0.04**2 / 19 + 0.01**2 / 2))
    p = p_value(0.5, parts)
    assert half_width(parts, 1 - p) == pytest.approx(0.5)


def test_p_of_one_part_is_that_of_a_t_test():
    assert p_value(-0.3, [VariancePart(0.01, 7)]) == pytest.approx(2 * stdtr(7, -3.0))
    assert p_value(0.0, [VariancePart(0.01, 7)]) == 1.0
    assert p_value(0.1, [VariancePart(0.0, 7)]) is None
    assert 0 < p_value(1e6, [VariancePart(0.01, 7)]) < 1e-9


def test_one_seed_is_one_adapter_and_has_the_interval_of_two_runs():
    tuned = [1, 1, 1, 1, 0, 3, 2, 1, 1, 0]
    result = recipe_difference(runs(tuned, [7]), runs(BASE), 0.95)
    expected = ratio_interval(sampling_units(np.subtract(tuned, BASE).tolist(), WORDS, NONE), 0.95)
    assert (result.interval.low, result.interval.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert (result.scope, result.seed_share, result.seed_degrees) == ("adapter", None, None)
    # three seeds against a recipe with one: neither side can say what another seed of that one would do
    three = runs([tuned, tuned, tuned], [1, 2, 3])
    assert recipe_difference(three, runs(tuned, [7]), 0.95).scope == "adapter"
    assert recipe_difference(three, runs(BASE), 0.95).scope == "recipe"


def test_equal_seeds_are_paired_in_any_order():
    draw = np.random.default_rng(3)
    first = draw.poisson(2, (3, 10))
    shift = np.asarray([0, 5, 20])[:, None] * np.asarray([1, *[0] * 9])  # what each seed adds, to both recipes
    better = runs(first + shift, [1, 2, 3])
    worse = runs((first + 1 + shift)[::-1], [3, 2, 1])
    paired = recipe_difference(better, worse, 0.95)
    assert paired.paired_seeds
    assert paired.seed_differences == pytest.approx([-0.1] * 3)
    assert paired.seed_variance == pytest.approx(0.0)
    others = recipe_difference(better, runs((first + 1 + shift)[::-1], [4, 5, 6]), 0.95)
    assert not others.paired_seeds
    assert others.seed_variance == pytest.approx((better.variance + worse.variance) / 3)
    assert others.seed_degrees == pytest.approx(4)
    assert others.difference == pytest.approx(paired.difference)


def test_a_pooled_variance_replaces_a_smaller_one_only():
    calm = runs([BASE, BASE, [4, *BASE[1:]]], [1, 2, 3])
    wild = runs([BASE, [6, *BASE[1:]], [8, *BASE[1:]]], [1, 2, 3])
    pooled = pooled_seed_variance([calm, wild])
    assert pooled.degrees == 4
    assert pooled.variance == pytest.approx((calm.variance + wild.variance) / 2)
    base = runs([value + 1 for value in BASE])
    assert recipe_difference(calm, base, 0.95, pooled).seed_variance == pytest.approx(pooled.variance / 3)
    assert recipe_difference(wild, base, 0.95, pooled).seed_variance == pytest.approx(wild.variance / 3)
    assert pooled_seed_variance([runs(BASE, [1])]) is None


def test_a_recipe_whose_seeds_vary_far_more_stays_outside_the_pool():
    stable = [runs([BASE, [2 + n, *BASE[1:]], [4 + n, *BASE[1:]]], [1, 2, 3]) for n in range(3)]
    unstable = runs([BASE, [40, *BASE[1:]], [90, *BASE[1:]]], [1, 2, 3])
    pooled = pooled_seed_variance([*stable, unstable])
    assert pooled.apart == {unstable}
    assert (pooled.variance, pooled.degrees) == (pytest.approx(np.mean([each.variance for each in stable])), 6)
    base = runs([value + 1 for value in BASE])
    assert recipe_difference(stable[0], base, 0.95, pooled).seed_degrees == 6
    alone = recipe_difference(unstable, base, 0.95, pooled)
    assert (alone.seed_variance, alone.seed_degrees) == (pytest.approx(unstable.variance / 3), 2)
    between = recipe_difference(unstable, stable[0], 0.95, pooled)
    assert between.seed_variance == pytest.approx((unstable.variance + pooled.of_mean(stable[0]).variance * 3) / 3)
    assert between.seed_degrees == pytest.approx(2, rel=0.1)  # almost all of the variance is that of the unstable one


def test_seeds_that_agree_exactly_are_no_measure_of_stability():
    still, moving = runs([BASE] * 3, [1, 2, 3]), runs([BASE, BASE, [3, *BASE[1:]]], [1, 2, 3])
    pooled = pooled_seed_variance([still, moving])
    assert (pooled.apart, pooled.degrees) == (frozenset(), 4)


def test_a_diverged_seed_leaves_the_recipe_undecided():
    good = [value // 2 for value in BASE]
    fine = recipe_difference(runs([good, good, [*good[:-1], 2]], [1, 2, 3]), runs(BASE), 0.95)
    diverged = recipe_difference(runs([good, good, [10] * 10], [1, 2, 3]), runs(BASE), 0.95)
    assert fine.interval.high < 0
    assert fine.p < 0.05
    assert diverged.interval.low < 0 < diverged.interval.high
    assert diverged.seed_share > 0.9
    assert max(diverged.seed_differences) == pytest.approx(0.79)


def test_identical_runs_have_no_interval():
    result = recipe_difference(runs([BASE] * 3, [1, 2, 3]), runs(BASE), 0.95)
    assert (result.difference, result.changed_errors) == (0.0, 0)
    assert (result.interval.low, result.p, result.standard_error, result.harm_bound) == (None,) * 4


def test_fewer_than_six_changed_utterances_decide_nothing_and_bound_the_harm():
    changed = [value + (index < 5) for index, value in enumerate(BASE)]
    five = recipe_difference(runs([changed, changed], [1, 2]), runs(BASE), 0.95)
    assert (five.changed_errors, five.p) == (5, None)
    assert five.harm_bound >= five.interval.high
    assert five.harm_bound > 0.8  # five of ten may be worse: exact upper bound 81 %
    six = [value + (index < 6) for index, value in enumerate(BASE)]
    result = recipe_difference(runs([six, six], [1, 2]), runs(BASE), 0.95)
    assert result.p is not None
    assert result.harm_bound == result.interval.high


def test_sets_without_words_or_with_one_utterance_have_no_interval():
    nothing = recipe_difference(runs([[1, 2], [0, 1]], [1, 2], [0, 0]), runs([0, 0], words=[0, 0]), 0.95)
    assert (nothing.difference, nothing.interval.low, nothing.p) == (None, None, None)
    one = recipe_difference(runs([[1], [2]], [1, 2], [5]), runs([3], words=[5]), 0.95)
    assert one.difference == pytest.approx(-0.3)
    assert (one.interval.low, one.interval.scope) == (None, "none")


def test_speakers_are_units_where_enough_are_known():
    speakers = [name for name in "abcde" for _ in range(2)]
    tuned = [[max(0, value - 1) for value in BASE], BASE]
    by_speaker = recipe_difference(runs(tuned, [1, 2], speakers=speakers), runs(BASE, speakers=speakers), 0.95)
    assert (by_speaker.interval.scope, by_speaker.unit_degrees) == ("speakers", 4)
    assert recipe_difference(runs(tuned, [1, 2]), runs(BASE), 0.95).unit_degrees == 9


@pytest.mark.parametrize(
    ("errors", "seeds", "expected"),
    [([BASE, BASE], None, "pass their seeds"), ([BASE], [1, 2], "one different"), ([BASE, BASE], [1, 1], "one diff")],
)
def test_seeds_that_do_not_fit_are_errors(errors, seeds, expected):
    with pytest.raises(ValueError, match=expected):
        runs(errors, seeds)


def test_other_utterances_are_an_error():
    with pytest.raises(ValueError, match="shape"):
        runs([1, 2, 3])
    with pytest.raises(ValueError, match="same utterances"):
        recipe_difference(runs(BASE, [1]), runs(BASE, words=[9] * 10), 0.95)
