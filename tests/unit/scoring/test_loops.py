"""Repetition loops are found where a model loops, not where the speaker repeats words."""

from __future__ import annotations

import pytest

from lora.scoring.loops import longest_loop


@pytest.mark.parametrize(
    ("reference", "hypothesis", "words", "times"),
    [
        ("the cat sat", "the cat sat sat sat sat", "sat", 4),
        ("i see", "i see and then and then and then and then", "and then", 4),
        ("a b c d e f", "a b c d e f a b c d e f a b c d e f", "a b c d e f", 3),
        ("", "so so so", "so", 3),
        ("no no no", "no no no no no no", "no", 6),
        ("x", "y y y a b a b a b a b", "a b", 4),
        ("x", "a b c a b c a b c a b", "a b c", 3),
    ],
)
def test_loops(reference: str, hypothesis: str, words: str, times: int) -> None:
    loop = longest_loop("u", reference.split(), hypothesis.split())
    assert loop is not None
    assert (loop.id, loop.words, loop.times) == ("u", words, times)


@pytest.mark.parametrize(
    ("reference", "hypothesis"),
    [
        ("no no no", "no no no"),
        ("no no no", "no no no no"),
        ("ha ha ha he said", "ha ha ha ha he said"),
        ("very very good", "very very good"),
        ("the cat and the cat and the cat ran", "the cat and the cat and the cat ran"),
        ("a b", ""),
        ("", ""),
        ("a b c d e f g", "a b c d e f g a b c d e f g a b c d e f g"),
    ],
)
def test_no_loops(reference: str, hypothesis: str) -> None:
    assert longest_loop("u", reference.split(), hypothesis.split()) is None
