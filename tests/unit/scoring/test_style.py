"""Style of texts, and references rewritten in the style of the model."""

from __future__ import annotations

import pytest

from lora.records.labels import NumberStyle, StyleProfile
from lora.scoring.style import number_style, restyle, style_profile, with_numbers_as_in

CASED = style_profile(["Go on, please.", "Is it here?"])
SHOUTED = style_profile(["GO ON PLEASE", "IS IT HERE"])
BARE = style_profile(["go on please", "is it here"])


def test_profile_counts_shares_of_texts_and_marks_per_hundred_words() -> None:
    profile = style_profile(["Go on, 12 times.", "GO ON", "go on", "  ", "12"])
    assert profile.texts == 4
    assert (profile.upper_case, profile.lower_case) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert profile.sentence_case == pytest.approx(1 / 3)
    assert profile.with_final_punctuation == pytest.approx(1 / 4)
    assert profile.punctuation_per_100_words == pytest.approx(100 * 2 / 9)
    assert profile.digits_per_100_words == pytest.approx(100 * 4 / 9)


def test_no_text_gives_zeros() -> None:
    assert not any(style_profile([]).model_dump().values())


def test_histograms_count_texts_by_case_final_mark_and_number_of_marks() -> None:
    profile = style_profile(["Go on, then.", "GO ON", "go on?", "12", "a, b, c, d, e, f", "iPhone here", "他来了。"])
    assert profile.cases == {"lower": 2, "none": 2, "other": 1, "sentence": 1, "upper": 1}
    assert profile.final_punctuation == {"": 4, ".": 1, "?": 1, "。": 1}
    assert profile.punctuation == {"0": 3, "1": 2, "2": 1, "5+": 1}


MIXED = style_profile(["Go on, please.", "GO ON PLEASE."])
CHINESE = style_profile(["他来了。", "你好。"])


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("WHERE IS IT", CASED, "Where is it."),
        ("i'm here. so am i", CASED, "I'm here. So am I."),
        ("Where is it, Jacob?", CASED, "Where is it, Jacob?"),
        ("Where is it, Jacob?", BARE, "where is it jacob"),
        ("It's Jacob's.", SHOUTED, "IT'S JACOB'S"),
        ("", CASED, ""),
        ("WHERE IS IT.", MIXED, "WHERE IS IT."),  # the model shouts as well
        ("再见", CHINESE, "再见。"),
    ],
)
def test_texts_in_another_style(text: str, style: StyleProfile, expected: str) -> None:
    assert restyle(text, style) == expected


@pytest.mark.parametrize(
    ("text", "own", "expected"),
    [
        ("I saw 7 boats.", "I saw seven boats.", "I saw seven boats."),
        ("It costs 42 pounds", "It costs forty two pounds", "It costs forty two pounds"),
        ("forty two pounds", "42 pounds", "42 pounds"),
        ("I saw 7 boats", "I sore seven boats", "I saw 7 boats"),  # next to a misrecognised word nothing is changed
        ("I saw 7 boats", "", "I saw 7 boats"),
        ("on the 42nd floor", "on the forty second floor", "on the forty second floor"),
        ("go on", "x7b on", "go on"),
        ("I saw some boats", "I saw seven boats", "I saw some boats"),
    ],
)
def test_numbers_are_written_as_the_model_writes_them(text: str, own: str, expected: str) -> None:
    assert with_numbers_as_in(text, own) == expected


def test_rows_are_counted_by_who_writes_digits() -> None:
    counted = number_style(["7 boats", "seven", "7", "none"], ["seven boats", "7", "7", "none"])
    assert counted == NumberStyle(rows=4, only_reference=1, only_hypothesis=1, both=1)
