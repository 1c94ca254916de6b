"""Texts that no speaker says, such as a hypothesis in a loop, are scored in linear time and without a traceback."""

from __future__ import annotations

import time

import pytest

from lora.data.transcripts.trn import first_alternatives
from lora.scoring import alternations
from lora.scoring.alternations import cheapest_reference
from lora.scoring.markup import REMOVABLE, strip_markup
from lora.scoring.normalizers import NAMES, normalizer

LENGTH = 50_000
SECONDS = 30.0  # of processor time; a quadratic search takes minutes, these at most 1 s
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


def timed_reference(reference: str, expected: str, name: str = "basic") -> tuple[str, ...]:
    words = normalizer(name).words
    started = time.process_time()
    found = cheapest_reference(reference, words, words(expected))
    assert time.process_time() - started < SECONDS
    return words(found)


@pytest.mark.parametrize("chosen", ["a", "b", "c d"])
def test_a_recording_with_many_alternations_takes_the_cheapest_in_time(chosen: str) -> None:
    reference = " ".join(f"w{number} {{ a / b / c d }}" for number in range(100))
    expected = " ".join(f"w{number} {chosen}" for number in range(100))
    assert timed_reference(reference, expected) == tuple(expected.split())


def test_alternations_of_many_choices_take_the_cheapest_in_time() -> None:
    choices = " / ".join(f"choice{number}" for number in range(50))
    expected = " ".join(f"word choice{number}" for number in range(40))
    found = timed_reference(f"word {{ {choices} }} " * 40, expected, "english")
    assert found == normalizer("english").words(expected)


def test_an_hour_with_alternations_takes_the_cheapest_in_time() -> None:
    part = "some words of a talk " * 400
    assert timed_reference(f"{part} {{ two / three }} " * 5, f"{part} three " * 5, "english").count("3") == 5


def test_words_around_a_few_alternations_count_too() -> None:
    assert normalizer("english").words(
        cheapest_reference("twenty { five / six } cats", normalizer("english").words, ("26", "cats"))
    ) == ("26", "cats")


def test_the_first_alternatives_count_where_an_alignment_needs_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternations, "MOST_CELLS", 1000)
    assert timed_reference("{ a / b } " * 10, "b " * 10) == ("a",) * 10
