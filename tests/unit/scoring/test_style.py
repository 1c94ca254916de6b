"""Style of texts, and references rewritten in the model's own."""

from __future__ import annotations

import pytest

from lora.scoring.style import restyled, style_profile

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
    assert style_profile([]).model_dump() == dict.fromkeys(style_profile([]).model_dump(), 0)


@pytest.mark.parametrize(
    ("text", "own", "style", "expected"),
    [
        ("WHERE IS IT", SHOUTED, CASED, "Where is it."),
        ("i'm here. so am i", BARE, CASED, "I'm here. So am I."),
        ("Where is it, Jacob?", CASED, CASED, "Where is it, Jacob?"),
        ("Where is it, Jacob?", CASED, BARE, "where is it jacob"),
        ("It's Jacob's.", CASED, SHOUTED, "IT'S JACOB'S"),
        ("", BARE, CASED, ""),
    ],
)
def test_texts_in_another_style(text: str, own: object, style: object, expected: str) -> None:
    assert restyled(text, own, style) == expected  # type: ignore[arg-type]
