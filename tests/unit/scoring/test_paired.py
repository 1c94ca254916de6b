"""Differences of two runs by hand, and the order of outcomes."""

from dataclasses import replace

import pytest

from lora.records.scores import Edit, Interval
from lora.scoring.paired import outcome, paired_score


def compared(scored, before, after, words, changed=None, margin=0.005, speakers=None):
    differing = sum(b != a for b, a in zip(before, after, strict=True))
    return paired_score(
        scored(before, words, speakers),
        scored(after, words, speakers),
        differing if changed is None else changed,
        margin,
        0.95,
        200,
    )


def reworded(scored, count, changed):
    """Runs with one error in each of `count` utterances, of which `changed` have another word wrong after tuning."""
    before = [replace(entry, edits=[Edit(0, "a", "b")]) for entry in scored([1] * count, [10] * count)]
    after = [replace(entry, edits=[Edit(0, "a", "c")]) for entry in before[:changed]] + before[changed:]
    return paired_score(before, after, changed, 0.005, 0.95, 200)


def test_the_difference_by_hand(scored):
    # differences -1 0 -2 over 5 5 10 words: delta -0.15, the standard error of the mirrored WER, 0.0726483
    result = compared(scored, [2, 1, 4], [1, 1, 2], [5, 5, 10])
    assert (result.baseline_wer, result.tuned_wer) == (pytest.approx(0.35), pytest.approx(0.2))
    assert result.delta == pytest.approx(-0.15)
    assert result.interval.low == pytest.approx(-0.15 - 4.302653 * 0.0726483, abs=1e-6)
    assert result.interval.high == pytest.approx(-0.15 + 4.302653 * 0.0726483, abs=1e-6)
    assert (result.changed_errors, result.substitutions_delta, result.insertions_delta) == (2, -3, 0)
    assert (result.outcome, result.detectable_difference) == ("underpowered", None)


def test_identical_runs_are_unchanged_and_nothing_else(scored):
    result = compared(scored, [1] * 50, [1] * 50, [10] * 50)
    assert (result.outcome, result.delta, result.within_margin) == ("unchanged", 0.0, False)
    assert (result.interval.low, result.interval.method, result.bootstrap) == (None, "no hypothesis differs", None)
    assert result.detectable_difference is None


def test_better_and_worse(scored):
    high, low = [3, 2, 3, 2, 3, 2, 3, 2] * 5, [1, 1, 1, 0, 1, 1, 0, 1] * 5
    assert compared(scored, high, low, [10] * 40).outcome == "better"
    assert compared(scored, low, high, [10] * 40).outcome == "worse"


def test_detectable_difference_from_the_observed_error(scored):
    # differences +1 and -1 in turn, 100 utterances of 10 words: SE = sqrt(100) / 0.99 / 1000; quantiles of t(99)
    result = compared(scored, [1, 2] * 50, [2, 1] * 50, [10] * 100)
    assert result.detectable_difference == pytest.approx((1.984217 + 0.845234) * 0.0101010, rel=1e-4)
    assert (result.outcome, result.within_margin) == ("underpowered", False)


def test_equivalent_needs_the_whole_interval_inside(scored):
    before, after = [1, 0] * 400, [0, 1] * 3 + [1, 0] * 397
    result = compared(scored, before, after, [10] * 800)
    assert result.changed_errors == 6
    assert (result.outcome, result.within_margin) == ("equivalent", True)
    narrow = compared(scored, before, after, [10] * 800, margin=0.0005)
    assert (narrow.outcome, narrow.within_margin) == ("underpowered", False)


def test_better_inside_the_margin_is_better(scored):
    result = compared(scored, [1] * 7 + [0] * 793, [0] * 800, [10] * 800)
    assert (result.outcome, result.within_margin) == ("better", True)


@pytest.mark.parametrize("count", [1, 5])
def test_fewer_than_six_changed_utterances_show_nothing(scored, count):
    result = compared(scored, [1] * count + [0] * 500, [0] * (count + 500), [10] * (count + 500), margin=0.5)
    assert (result.outcome, result.changed_errors) == ("underpowered", count)


def test_changed_texts_with_equal_errors_are_not_unchanged(scored):
    assert reworded(scored, 20, 3).outcome == "underpowered"


def test_texts_that_differ_only_in_what_the_normaliser_removes_are_the_same_words(scored):
    result = compared(scored, [1] * 20, [1] * 20, [10] * 20, changed=20)
    assert (result.outcome, result.changed_hypotheses, result.changed_texts) == ("same_words", 20, 0)
    assert (result.interval.method, result.harm_bound) == ("no word differs", None)


def test_the_order_of_outcomes():
    def interval(low, high):
        return Interval(low=low, high=high, confidence=0.95, method="", scope="none")

    assert outcome(interval(-0.002, -0.001), 0, 0, 9, 0.005) == "unchanged"
    assert outcome(interval(-0.002, -0.001), 9, 0, 0, 0.005) == "same_words"
    assert outcome(interval(-0.002, -0.001), 9, 9, 9, 0.005) == "better"
    assert outcome(interval(0.001, 0.1), 9, 9, 9, 0.005) == "worse"
    assert outcome(interval(-0.001, 0.001), 9, 9, 9, 0.005) == "equivalent"
    assert outcome(interval(-0.001, 0.006), 9, 9, 9, 0.005) == "underpowered"
    assert outcome(interval(None, None), 9, 9, 9, 0.005) == "underpowered"


def test_no_word_and_one_utterance(scored):
    empty = compared(scored, [1], [2], [0])
    assert (empty.baseline_wer, empty.delta, empty.outcome) == (None, None, "underpowered")
    one = compared(scored, [1], [2], [5])
    assert (one.delta, one.interval.low, one.outcome) == (pytest.approx(0.2), None, "underpowered")


def test_harm_bound_is_the_interval_or_an_exact_bound(scored):
    enough = compared(scored, [1, 0] * 400, [0, 1] * 3 + [1, 0] * 397, [10] * 800)
    assert enough.harm_bound == enough.interval.high
    # no utterance of 20 gets worse: up to 1 - 0.025^(1/20) = 16.8 % could, and the interval is one point
    few = reworded(scored, 20, 3)
    assert (few.interval.high, few.harm_bound) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    # two of 500 get worse: Clopper & Pearson's upper bound is 1.4374 % (R: binom.test(2, 500))
    two = compared(scored, [0] * 500, [1, 1] + [0] * 498, [10] * 500)
    assert two.harm_bound == pytest.approx(0.014374, abs=1e-5)
    assert compared(scored, [1] * 9, [1] * 9, [10] * 9).harm_bound is None


def test_power_after_the_fact_uses_the_observed_error(scored):
    before, after = scored([1, 2] * 50, [10] * 100), scored([2, 1] * 50, [10] * 100)
    result = paired_score(before, after, 100, 0.005, 0.95, 0, target_gain=0.01)
    # SE 0.010101 shows 2.86 points, and of 803 utterances, with t(802), one point
    assert (result.power.assumed_shared_errors, result.power.utterances_needed) == (None, 803)
    assert result.power.detectable_difference == result.detectable_difference


def test_different_utterances_are_a_programming_error(scored):
    with pytest.raises(ValueError, match="same utterances"):
        paired_score(scored([1], [5]), scored([1, 1], [5, 5]), 1, 0.005, 0.95, 0)
