"""Times as people write them."""

from __future__ import annotations

import pytest

from lora.data.time_text import seconds_in_text


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3.2", 3.2),
        ("3,2", 3.2),
        (" 3.2 s", 3.2),
        ("3.2sec.", 3.2),
        ("3200 ms", 3.2),
        ("2 min", 120.0),
        ("0:06.05", 6.05),
        ("1:02:03,5", 3723.5),
        ("00:00:05.99", 5.99),
        ("1e1", 10.0),
        ("-1", -1.0),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    assert seconds_in_text(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["long", "1.234,5", "3 apples", "1:2:3:4", "nan", "", "0x10"])
def test_other_texts_stay(text: str) -> None:
    assert seconds_in_text(text) == text
