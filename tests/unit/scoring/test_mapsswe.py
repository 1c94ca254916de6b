"""MAPSSWE by hand: ends of segments, and the test of their differences."""

import math

import pytest

from lora.scoring.alignment import word_edits
from lora.scoring.paired import mapsswe, segment_differences


def differences(reference, baseline, tuned):
    words = reference.split()
    return segment_differences(word_edits(words, baseline.split()), word_edits(words, tuned.split()))


@pytest.mark.parametrize(
    ("reference", "baseline", "tuned", "expected"),
    [
        ("a b c d e", "a b c d e", "a b c d e", []),
        ("a b c d e", "a x c d e", "a b c d e", [-1]),
        # one right word between two errors joins them, two part them
        ("a b c d e f", "a x c y e f", "a b c d e f", [-2]),
        ("a b c d e f", "a x c d y f", "a b c d e f", [-1, -1]),
        # right in both: here c and d are right in one run each
        ("a b c d e f", "a x c y e f", "a b y d z f", [0]),
        # an insertion between two right words breaks their run
        ("a b c d e f", "x b c d e f", "a b i c d y f", [0, 1]),
        ("a b c d", "x b i c d", "a b c d", [-2]),
        # at both ends, and where there is no reference
        ("a b c d", "i a b c d", "a b c d i j", [-1, 2]),
        ("", "i j", "i", [-1]),
        ("a b c d", "", "a b", [-2]),
    ],
)
def test_segments_by_hand(reference, baseline, tuned, expected):
    assert differences(reference, baseline, tuned) == expected


def test_the_test_by_hand(scored):
    # segments differ by -1 -1 0 +1 -2: mean -0.6, deviation 1.140175, z = -0.6 / (1.140175 / sqrt 5) = -1.176697
    result = mapsswe(scored([1, 1, 1, 0, 3], [9] * 5), scored([0, 0, 1, 1, 1], [9] * 5))
    assert (result.segments, result.mean_difference) == (5, pytest.approx(-0.6))
    assert result.z == pytest.approx(-1.176697, abs=1e-6)
    assert result.p == pytest.approx(math.erfc(1.176697 / math.sqrt(2)), abs=1e-6)


@pytest.mark.parametrize(
    ("baseline", "tuned", "segments", "mean"),
    [([0, 0], [0, 0], 0, None), ([1, 0], [0, 0], 1, -1.0), ([1, 1, 1], [0, 0, 0], 3, -1.0)],
)
def test_without_spread_there_is_no_p(scored, baseline, tuned, segments, mean):
    words = [5] * len(baseline)
    result = mapsswe(scored(baseline, words), scored(tuned, words))
    assert (result.segments, result.mean_difference, result.z, result.p) == (segments, mean, None, None)
