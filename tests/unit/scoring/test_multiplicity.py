"""Holm by hand; which recipe of a grid is called a winner."""

import numpy as np
import pytest

from lora.scoring.multiplicity import holm, judge_grid, simultaneous
from lora.scoring.seed_intervals import recipe_runs

UTTERANCES = 200
WORDS = [10] * UTTERANCES


def recipe(rate, seed, seeds=3):
    return recipe_runs(
        np.random.default_rng(seed).poisson(rate, (seeds, UTTERANCES)), WORDS, [None] * UTTERANCES, [*range(seeds)]
    )


@pytest.fixture
def base():
    return recipe_runs(np.random.default_rng(0).poisson(2.0, UTTERANCES), WORDS, [None] * UTTERANCES)


def test_holm_by_hand():
    # sorted 0.005, 0.01, 0.03, 0.04 times 4, 3, 2, 1: 0.02, 0.03, 0.06, then at least the one before
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_missing_p_counts_and_stays_missing():
    assert holm([None, 0.01]) == [None, pytest.approx(0.02)]


def test_simultaneous_levels():
    assert simultaneous(0.95, 5) == pytest.approx(0.99)
    assert simultaneous(0.95, 0) == pytest.approx(0.95)


def test_a_clear_winner_beats_base_and_rivals(base):
    result = judge_grid({"slow": recipe(2.0, 1), "good": recipe(1.0, 2), "same": recipe(2.0, 3)}, base, 0.95)
    assert (result.winner, result.better_than_base, result.best, result.rivals) == ("good", True, True, [])
    assert [entry.recipe for entry in result.comparisons] == ["slow", "good", "same"]
    good = result.comparisons[1]
    assert good.adjusted_p == pytest.approx(3 * good.against_base.p)
    assert good.against_base.interval.confidence == pytest.approx(1 - 0.05 / 3)


def test_two_good_recipes_beat_the_base_but_not_each_other(base):
    result = judge_grid({"one": recipe(1.0, 4), "two": recipe(1.0, 5), "bad": recipe(3.0, 6)}, base, 0.95)
    assert (result.better_than_base, result.best) == (True, False)
    assert {result.winner, *result.rivals} == {"one", "two"}


def test_equal_recipes_have_no_winner(base):
    result = judge_grid({str(number): recipe(2.0, 10 + number) for number in range(5)}, base, 0.95)
    assert (result.better_than_base, result.best, len(result.rivals)) == (False, False, 4)


def test_an_empty_grid_and_one_without_words():
    silent = recipe_runs([0, 0], [0, 0], [None] * 2)
    assert judge_grid({}, silent, 0.95).winner is None
    runs = recipe_runs([[0, 1], [0, 0]], [0, 0], [None] * 2, [1, 2])
    assert judge_grid({"a": runs}, silent, 0.95).winner is None


def test_unchanged_recipes_never_win(base):
    same = recipe_runs(np.repeat(base.errors, 3, axis=0), WORDS, [None] * UTTERANCES, [1, 2, 3])
    result = judge_grid({"a": same, "b": same}, base, 0.95)
    assert (result.better_than_base, result.best) == (False, False)
    assert [entry.adjusted_p for entry in result.comparisons] == [None, None]
