"""How much data a gain needs: curves with a known answer, and runs that cannot say."""

import numpy as np
import pytest

from lora.scoring.learning_curve import CurvePoints, curve_points, learning_curve, profile
from lora.scoring.seed_intervals import mean_seed_variance, recipe_runs

UTTERANCES = 400
WORDS = [10] * UTTERANCES
SPEAKERS = [None] * UTTERANCES
BASE = recipe_runs(np.full(UTTERANCES, 4), WORDS, SPEAKERS)


def recipes(differences, amounts=(100, 200, 400, 800), noise=0.02, seeds=3):
    """Runs whose WERs differ from the base's 40 % by these fractions on average."""
    made = {}
    for index, (amount, difference) in enumerate(zip(amounts, differences, strict=True)):
        draw = np.random.default_rng(index)
        rates = 4 + 10 * difference + noise * draw.normal(size=(seeds, 1))
        errors = np.floor(rates + draw.random((seeds, UTTERANCES)))  # this mean, at most one error more or less
        made[amount] = recipe_runs(errors, WORDS, SPEAKERS, range(seeds))
    return made


def power_law(floor, scale, exponent, amounts=(100, 200, 400, 800)):
    return [floor + scale * (amount / 800) ** -exponent for amount in amounts]


def test_a_curve_that_needs_twice_the_data():
    # -0.20 + 0.10 n^-1 reaches -0.15 at twice the largest amount
    result = learning_curve(recipes(power_law(-0.20, 0.05, 1.0)), BASE, 0.175, 20, 0.95)
    assert result.outcome == "reachable"
    assert result.needed == pytest.approx(1600, rel=0.2)
    assert 800 < result.needed_low < 1600 < result.needed_high < 4000
    assert result.floor + result.scale * 1600**-result.exponent == pytest.approx(-0.175, abs=0.005)


def test_a_curve_above_the_target_is_out_of_reach():
    result = learning_curve(recipes(power_law(-0.20, 0.05, 1.0)), BASE, 0.25, 20, 0.95)
    assert (result.outcome, result.needed, result.needed_low, result.needed_high) == ("out_of_reach", None, None, None)
    assert result.limit == 16000


def test_noise_leaves_the_upper_end_open():
    result = learning_curve(recipes(power_law(-0.20, 0.05, 1.0), noise=0.3), BASE, 0.19, 20, 0.95)
    assert result.outcome == "at_least"
    assert result.needed_low > 100
    assert result.needed_high is None


def test_a_target_that_is_reached_already():
    result = learning_curve(recipes(power_law(-0.20, 0.05, 1.0)), BASE, 0.1, 20, 0.95)
    assert result.outcome == "reached"
    assert result.needed_high <= 800


def test_a_flat_curve_says_nothing_about_more_data():
    result = learning_curve(recipes([-0.1] * 4), BASE, 0.2, 20, 0.95)
    assert (result.outcome, result.needed, result.needed_low) == ("flat", None, None)


def test_identical_runs_are_flat():
    same = recipe_runs(np.repeat(BASE.errors, 2, axis=0), WORDS, SPEAKERS, [1, 2])
    result = learning_curve({1: same, 2: same, 4: same}, BASE, 0.1, 20, 0.95)
    assert (result.outcome, result.differences) == ("flat", [0.0, 0.0, 0.0])


def test_too_few_shares_or_seeds():
    two = recipes([-0.1, -0.15], amounts=(100, 200))
    assert learning_curve(two, BASE, 0.2, 20, 0.95).outcome == "too_few_shares"
    assert learning_curve({}, BASE, 0.2, 20, 0.95).outcome == "too_few_shares"
    single = recipes(power_law(-0.20, 0.05, 1.0), seeds=1)
    assert learning_curve(single, BASE, 0.2, 20, 0.95).outcome == "too_few_seeds"


def test_the_profile_by_hand():
    # (n, y) = (1/4, 0), (1/2, -1), (1, -1.5) is -2 + n^-1 / 2 without noise: 0 at the amount where it is -1.75, n = 2.
    # At n = 1 the best curve through (1, -1.75) misses the last point by 0.25 at least: chi-square >= 0.25^2.
    points = CurvePoints(np.asarray([0.25, 0.5, 1.0]), np.asarray([0.0, -1.0, -1.5]), np.eye(3), -5.0, 10.0)
    at_two, at_one = profile(points, np.asarray([2.0, 1.0]), -1.75)
    assert at_two == pytest.approx(0.0, abs=1e-3)  # the exponents are a grid
    assert 0.0625 <= at_one < 0.2


def test_the_covariance_has_the_common_and_the_own_part():
    made = recipes(power_law(-0.20, 0.05, 1.0))
    pooled = mean_seed_variance(list(made.values()))
    covariance = np.linalg.inv(curve_points(made, BASE, pooled).precision)
    own = np.diag(covariance) - covariance[0, 1]
    assert covariance == pytest.approx(covariance.T)
    assert (own > pooled.variance / 3 - 1e-12).all()
    noisy = recipe_runs(np.random.default_rng(1).poisson(4, UTTERANCES), WORDS, SPEAKERS)
    shared = np.linalg.inv(curve_points(made, noisy, pooled).precision)
    assert shared[0, 1] > 5 * covariance[0, 1]


def test_unusable_input_is_an_error():
    with pytest.raises(ValueError, match="above 0"):
        learning_curve({0: BASE}, BASE, 0.1, 20, 0.95)
    with pytest.raises(ValueError, match="two utterances"):
        learning_curve({}, recipe_runs([1, 0], [5, 0], [None] * 2), 0.1, 20, 0.95)
