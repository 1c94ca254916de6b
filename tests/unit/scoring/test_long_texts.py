"""Texts that no speaker says, such as a hypothesis in a loop, are scored in linear time and without a traceback."""

from __future__ import annotations

import time

import pytest

from lora.data.transcripts.trn import first_alternatives
from lora.scoring.markup import REMOVABLE, cheapest_reference, strip_markup
from lora.scoring.normalizers import NAMES, normalizer

LENGTH = 50_000
SECONDS = 5.0  # of processor time; a quadratic search takes minutes
LONG = {
    "spaces": "a" + " " * LENGTH + "b",
    "brackets without an end": "[" * LENGTH,
    "parentheses without an end": "(" * LENGTH,
    "an alternation without an end": "{" + " a /" * LENGTH,
    "alternations": "{ a / b } " * (LENGTH // 10),
    "alternations in alternations": "{ a / " * (LENGTH // 8) + "}" * (LENGTH // 8),
    "a time without an end": "[1.1" + " " * LENGTH,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_texts_take_linear_time(text: str) -> None:
    started = time.process_time()
    for name in NAMES:
        normalizer(name, strip=REMOVABLE).words(text)
    strip_markup(text, REMOVABLE)
    cheapest_reference(text, normalizer("basic").words, ("a", "b"))
    first_alternatives(text)
    assert time.process_time() - started < SECONDS


@pytest.mark.parametrize("number", ["7" * 5000, "٣" * 5000, "9" * 5000 + " million"])
def test_a_number_of_thousands_of_digits_is_normalised(number: str) -> None:
    assert normalizer("english").words(f"{number} cats")[-1] == "cats"


def test_unclosed_brackets_are_symbols() -> None:
    assert normalizer("english").words("a [b (c) <d> e ( f < g") == ("a", "e", "f", "g")


@pytest.mark.parametrize("chosen", ["a", "b", "c d"])
def test_a_recording_with_many_alternations_takes_the_cheapest_in_time(chosen: str) -> None:
    """Those of the end are undecided while the first ones are compared, and are looked at once for all."""
    reference = " ".join(f"w{number} {{ a / b / c d }}" for number in range(100))
    expected = " ".join(f"w{number} {chosen}" for number in range(100)).split()
    started = time.process_time()
    found = cheapest_reference(reference, lambda text: tuple(text.split()), expected)
    assert time.process_time() - started < SECONDS
    assert found.split() == expected
