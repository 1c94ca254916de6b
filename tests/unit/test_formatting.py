"""Numbers are rounded once, in the same way everywhere, and never contradict the sentence around them."""

from __future__ import annotations

from typing import get_args

import pytest

from lora.formatting import (
    caveat,
    configured_percent,
    configured_points,
    count,
    counted_rows,
    hours,
    interval,
    listed,
    module_group,
    number,
    outcome_words,
    p_value,
    percent,
    percent_range,
    points,
    points_range,
    rate,
    seconds,
    seconds_limit,
    signed_points,
    why_none,
)
from lora.records.comparisons import Outcome
from lora.records.scores import Interval


def known(low: float = 0.0007, high: float = 0.0123, method: str = "bootstrap", scope: str = "speakers") -> Interval:
    return Interval.model_validate({"low": low, "high": high, "confidence": 0.95, "method": method, "scope": scope})


ABSENT = Interval.model_validate(
    {"low": None, "high": None, "confidence": 0.95, "method": "one utterance: no spread", "scope": "none"}
)


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.31249, "31.2 %"),
        (0.0052, "0.5 %"),
        (0.0462, "4.6 %"),
        (0.375, "37.5 %"),
        (0.09996, "10.0 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (2.345, "234.5 %"),
        (0.0004, "0.04 %"),
        (0.00000003, "0.000003 %"),
        (0.9996, "99.96 %"),
        (None, "unknown"),
    ],
)
def test_percent_has_one_decimal_unless_it_would_read_as_nothing_or_everything(
    fraction: float | None, text: str
) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("fraction", "threshold", "text"),
    [
        (0.0496, 0.05, "4.96 %"),
        (0.05004, 0.05, "5.004 %"),
        (0.05, 0.05, "5.0 %"),
        (0.0712, 0.05, "7.1 %"),
        (0.1 + 0.2, 0.3, "30.0 %"),
    ],
)
def test_percent_never_reads_as_a_threshold_that_it_differs_from(fraction: float, threshold: float, text: str) -> None:
    assert percent(fraction, threshold) == text


def test_ends_of_an_interval_have_one_decimal() -> None:
    assert percent_range(0.0, 0.042) == "0 to 4.2 %"
    assert percent_range(0.0007, 0.0123) == "0.1 to 1.2 %"
    assert percent_range(0.0496, 0.1, 0.05) == "4.96 to 10.0 %"
    assert percent_range(0.0003, 0.9998) == "0.03 to 99.98 %"
    assert percent_range(None, 0.1) == "no interval"


def test_a_rate_reads_alike_in_tables_and_sentences() -> None:
    assert rate(0.0052, known()) == "0.5 % (0.1 to 1.2 %)"
    assert rate(0.0052, known(scope="these_speakers")) == "0.5 % (0.1 to 1.2 %, these speakers only)"
    assert rate(0.125, ABSENT) == "12.5 % (no interval: one utterance)"
    assert rate(0.125, None) == "12.5 % (no interval)"
    assert interval(known()) == "95 % interval 0.1 to 1.2 %"
    assert interval(known(), 0.001) == "95 % interval 0.07 to 1.2 %"
    assert interval(ABSENT) == "no interval: one utterance"


def test_caveats_follow_the_interval_that_they_limit() -> None:
    assert caveat(known()) == ""
    assert caveat(known(scope="these_speakers")) == " (these speakers only)"
    assert caveat(known(method="zero errors: exact bound"), ", {}") == ", upper bound: no errors"
    assert caveat(ABSENT) == ""
    assert caveat(None) == ""
    assert why_none(ABSENT) == " (one utterance)"
    assert why_none(known()) == ""
    assert why_none(None) == ""


def test_differences_are_points_with_two_decimals() -> None:
    assert signed_points(-0.10604) == "-10.60 points"
    assert signed_points(0.003) == "+0.30 points"
    assert signed_points(-0.0000001) == "0 points"
    assert signed_points(None) == "unknown"
    assert points(-0.10604) == "10.60 points"
    assert points(0.049999, 0.05) == "4.9999 points"
    assert points(-0.148) == "14.80 points"
    assert points(0.0133) == "1.33 points"
    assert points(0.0) == "0 points"
    assert points(None) == "unknown"
    assert points_range(-0.0127, 0.004) == "-1.27 to +0.40"
    assert points_range(None, None) == "no interval"


def test_thresholds_read_as_configured() -> None:
    assert configured_percent(0.05) == "5 %"
    assert configured_percent(0.995) == "99.5 %"
    assert configured_points(0.01) == "1 point"
    assert configured_points(0.005) == "0.5 points"


def test_p_values_have_three_decimals() -> None:
    assert p_value(0.0432) == "p = 0.043"
    assert p_value(0.0000001) == "p < 0.001"
    assert p_value(None) == "p unknown"


def test_times() -> None:
    assert seconds(8.0) == "8 s"
    assert seconds(2.75) == "2.75 s"
    assert seconds(None) == "unknown"
    assert seconds_limit(10) == "10 s"
    assert seconds_limit(None) == "no limit"
    assert hours(2.14) == "2.1 h"
    assert hours(1234.5) == "1,234.5 h"
    assert hours(0.141) == "9 min"
    assert hours(None) == "unknown"


def test_rows_that_a_wer_counts() -> None:
    assert counted_rows(10.0) == "rows of at most 10 s"
    assert counted_rows(10.0, 1188) == "1,188 rows of at most 10 s"
    assert counted_rows(10.0, 1) == "1 row of at most 10 s"
    assert counted_rows(None) == "all rows"
    assert counted_rows(None, 6) == "all 6 rows"


def test_other_numbers() -> None:
    assert number(0.000123456) == "0.000123"
    assert number(16.0) == "16"
    assert number(12400.4) == "12,400"
    assert number(float("inf")) == "inf"
    assert number(None) == "unknown"
    assert count(1200, "row") == "1,200 rows"
    assert count(1, "row") == "1 row"
    assert count(12400, "row") == "12,400 rows"
    assert count(2, "hypothesis", "hypotheses") == "2 hypotheses"


def test_listed_counts_the_rest() -> None:
    assert listed([]) == "none"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert listed(list("abcdefg"), most=3) == "a, b, c and 4 more"


def test_module_groups_are_named_as_in_the_field() -> None:
    assert module_group("cross") == "cross-attention"
    assert module_group("adapter_of_another_kind") == "adapter_of_another_kind"


def test_every_outcome_has_one_of_five_words() -> None:
    words = {outcome_words(outcome) for outcome in get_args(Outcome)}
    assert words == {"better", "worse", "same", "same words", "inconclusive"}
    assert outcome_words("underpowered", 0.0115) == "inconclusive: only changes above 1.15 points are detectable here"
    assert outcome_words("better", 0.0115) == "better"
    assert outcome_words(None) == "unknown"
