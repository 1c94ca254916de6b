"""What a number of seeds and a set can show, before and after the runs."""

import math
from dataclasses import replace

import pytest
from scipy.special import stdtrit

from lora.scoring.power import forecast_power
from lora.scoring.recipe_power import RecipePlan, observed_power, recipe_power
from lora.scoring.seed_intervals import recipe_difference, recipe_runs

PLAN = RecipePlan(against="base", seeds=3, recipes=1, seed_deviation=0.006, target_gain=0.02, confidence=0.95)
ERRORS, WORDS = [0, 4] * 50, [10] * 100


def quantiles(units, seeds, unit_variance, seed_variance):
    """Half width and 80 % quantile by hand."""
    parts = [(unit_variance, units - 1), (seed_variance, seeds)]
    return sum(
        math.sqrt(sum(stdtrit(degrees, probability) ** 2 * variance for variance, degrees in parts))
        for probability in (0.975, 0.8)
    )


def test_both_variances_by_hand(scored):
    entries = scored(ERRORS, WORDS)
    unit_variance = forecast_power(entries, 0.8, 0.02, 0.95).standard_error ** 2
    result = recipe_power(entries, PLAN, 0.8)
    assert result.unit_variance == pytest.approx(unit_variance)
    assert result.detectable_difference == pytest.approx(quantiles(100, 2, unit_variance, 0.006**2 / 3))
    assert (result.units, result.units_count, result.speakers_needed) == ("utterances", 100, None)


def test_another_recipe_has_seeds_too_and_a_grid_pools_them(scored):
    entries = scored(ERRORS, WORDS)
    unit_variance = recipe_power(entries, PLAN, 0.8).unit_variance
    pair = recipe_power(entries, replace(PLAN, against="recipe"), 0.8)
    assert pair.detectable_difference == pytest.approx(quantiles(100, 4, unit_variance, 2 * 0.006**2 / 3))
    grid = recipe_power(entries, replace(PLAN, recipes=6), 0.8)
    assert grid.detectable_difference == pytest.approx(quantiles(100, 12, unit_variance, 0.006**2 / 3))


@pytest.mark.parametrize(
    ("deviation", "target", "limited_by"),
    [(0.001, 0.05, "nothing"), (0.02, 0.04, "seeds"), (0.001, 0.01, "rows"), (0.03, 0.002, "both")],
)
def test_what_decides(scored, deviation, target, limited_by):
    result = recipe_power(scored(ERRORS, WORDS), replace(PLAN, seed_deviation=deviation, target_gain=target), 0.8)
    assert result.limited_by == limited_by
    assert (result.detectable_difference <= target) == (limited_by == "nothing")
    if limited_by == "seeds":
        assert result.seeds_needed > 3
    if limited_by == "rows":
        assert result.growth_needed > 1
        assert result.utterances_needed == math.ceil(100 * result.growth_needed - 1e-6)
    if limited_by == "both":
        assert (result.seeds_needed, result.growth_needed, result.utterances_needed) == (None, None, None)


def test_the_needed_seeds_and_units_are_the_fewest(scored):
    speakers = [name for name in "abcdefghij" for _ in range(10)]
    entries = scored(ERRORS, WORDS, speakers)
    plan = replace(PLAN, seed_deviation=0.02, target_gain=0.045)
    result = recipe_power(entries, plan, 0.8)
    needed = result.seeds_needed
    assert recipe_power(entries, replace(plan, seeds=needed), 0.8).detectable_difference <= 0.045
    assert recipe_power(entries, replace(plan, seeds=needed - 1), 0.8).detectable_difference > 0.045
    rows = recipe_power(entries, replace(PLAN, seed_deviation=0.001, target_gain=0.01), 0.8)
    assert rows.units == "speakers"
    assert rows.speakers_needed == round(10 * rows.growth_needed)


def test_one_seed_shows_nothing_about_a_recipe(scored):
    result = recipe_power(scored(ERRORS, WORDS), replace(PLAN, seeds=1, target_gain=0.045), 0.8)
    assert (result.detectable_difference, result.growth_needed, result.limited_by) == (None, None, "seeds")
    with pytest.raises(ValueError, match="at least one run"):
        recipe_power(scored(ERRORS, WORDS), replace(PLAN, seeds=0), 0.8)


def test_a_short_run_replaces_the_assumption(scored):
    base = scored(ERRORS, WORDS)
    moved = [value + (index % 7 == 0) for index, value in enumerate(ERRORS)]
    observed = recipe_power(base, PLAN, 0.0, scored(moved, WORDS))
    assert observed.unit_variance < recipe_power(base, PLAN, 0.0).unit_variance / 10
    # nothing changed: no variance is observed, the assumption stays
    assert recipe_power(base, PLAN, 0.8, base) == recipe_power(base, PLAN, 0.8)
    with pytest.raises(ValueError, match="same utterances"):
        recipe_power(base, PLAN, 0.8, base[1:])


def test_none_where_the_base_has_no_forecast(scored):
    assert recipe_power(scored([1], [5]), PLAN, 0.8) is None
    assert recipe_power(scored([1, 1], [0, 0]), PLAN, 0.8) is None


def test_after_the_runs_the_observed_variances_decide():
    base = recipe_runs(ERRORS, WORDS, [None] * 100)
    errors = [[max(0, value + (index + shift) % 3 - 1) for index, value in enumerate(ERRORS)] for shift in (0, 1, 5)]
    errors[2][0] = 9
    result = recipe_difference(recipe_runs(errors, WORDS, [None] * 100, [1, 2, 3]), base, 0.95)
    found = observed_power(result, PLAN, 100)
    assert found.unit_variance == result.unit_variance
    assert found.seed_deviation == pytest.approx(math.sqrt(3 * result.seed_variance))
    assert found.detectable_difference == pytest.approx(quantiles(100, 2, result.unit_variance, result.seed_variance))
    same = recipe_difference(recipe_runs(ERRORS, WORDS, [None] * 100, [1]), base, 0.95)
    assert observed_power(same, PLAN, 100) is None
