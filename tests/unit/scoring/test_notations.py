"""Error rates in other notations of the same words."""

from __future__ import annotations

import pytest

from lora.records.manifests import Utterance
from lora.scoring.alignment import scored_pair
from lora.scoring.normalizers import normalizer
from lora.scoring.notations import notation_scores

NUMBERS = ["two one five", "eight nine three one", "seven seven two"]
DIGITS = ["2, 1, 5.", "8, 9, 3, 1", "7-7-2"]
ENGLISH = ["the colour of the boat was grey", "it is the harbour that we'll see and they will not", "fifty of the men"]
AMERICAN = ["The color of the boat was gray.", "It is the harbor that we will see and they won't", "50 of the men"]
GERMAN = ["die donau dampf schiff fahrt", "am bahn hof war er", "im herbst"]
COMPOUNDS = ["Die Donaudampfschifffahrt", "Am Bahnhof war er.", "Im Herbst"]


def notations(references: list[str], hypotheses: list[str], name: str) -> dict[str, float | None]:
    rows = [Utterance(id=f"r{n}", text=text, duration=3.0) for n, text in enumerate(references)]
    words = normalizer(name)
    scored = [scored_pair(row, text, words) for row, text in zip(rows, hypotheses, strict=True)]
    return {score.notation: score.wer for score in notation_scores(scored, words)}


@pytest.mark.parametrize("name", ["basic", "english"])
def test_digit_strings_are_right_digit_by_digit(name: str) -> None:
    assert notations(NUMBERS, DIGITS, name)["english_digits"] == 0


def test_a_wrong_digit_stays_wrong() -> None:
    assert notations(NUMBERS, [*DIGITS[:2], "7-8-2"], "basic")["english_digits"] == pytest.approx(1 / 10)


def test_spelling_contractions_and_numbers_of_english_texts() -> None:
    assert notations(ENGLISH, AMERICAN, "basic")["english"] == 0


def test_divided_compounds_have_no_setting() -> None:
    assert notations(GERMAN, COMPOUNDS, "basic") == {"word_division": 0}


def test_letters_apart_are_divided_otherwise() -> None:
    texts = ["a cat in a barn", "take a bath"]
    assert notations(texts, [" ".join(text.replace(" ", "")) for text in texts], "basic")["word_division"] == 0


@pytest.mark.parametrize("name", ["basic", "english", "english_digits", "none"])
def test_wrong_words_are_wrong_in_every_notation(name: str) -> None:
    assert notations(["the boat was here", "it is late"], ["a coat was there", "it was fate"], name) == {}


def test_errors_in_rows_without_speech_have_no_notation() -> None:
    assert notations(["the boat was here", ""], ["the boat was here", "thank you"], "basic") == {}


def test_case_and_punctuation_are_what_none_counts() -> None:
    assert notations(ENGLISH, AMERICAN, "none") == {}


def test_words_that_equal_others_in_another_language_are_not_english() -> None:
    french = ["le temps des cerises", "six ou quatre"]
    assert "english" not in notations(french, ["le temps de cerise", "6 ou 4"], "basic")
