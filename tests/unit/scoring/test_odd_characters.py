"""Invisible and look-alike characters: resolved and reported, except where a script or an emoji needs them."""

from __future__ import annotations

import pytest

from lora.records.manifests import Utterance
from lora.scoring.normalizers import normalizer
from lora.scoring.odd_characters import OddCharacters, odd_positions


@pytest.mark.parametrize(
    ("text", "positions", "words"),
    [
        ("the \u0441at sat", [4], "the cat sat"),  # Cyrillic es
        ("\u0430 cup of tea", [0], "a cup of tea"),
        ("spa\u200bce", [3], "space"),
        ("word\u2060joiner \ufeffbom co\u00adop", [4, 12, 19], "wordjoiner bom coop"),
        ("left\u200e to right", [4], "left to right"),
        ("м\u006fл\u006fко", [1, 3], "молоко"),
    ],
)
def test_faults(text: str, positions: list[int], words: str) -> None:
    assert odd_positions(text) == positions
    assert " ".join(normalizer("basic").words(text)) == words


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم بروم",
        "क्\u200dष हिन्दी",
        "👩\u200d👩\u200d👧 ❤\ufe0f",
        "\u200fשלום עולם",
        "สวัสดี\u200bครับ",
        "это настоящий текст",
        "iPhone-ов и WiFiшка, рост COVIDа в мире",
        "β-carotene, 5 μg",
        "он said no",
        "cafe\u0301 naïve",
    ],
)
def test_what_a_language_needs_is_not_reported(text: str) -> None:
    assert odd_positions(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("👩\u200d👧 ok ❤\ufe0f", ["ok"]),
        ("สวัสดี\u200bครับ", ["สวัสดี", "ครับ"]),
        ("он said", ["он", "said"]),
    ],
)
def test_words_of_a_script_stay(text: str, words: list[str]) -> None:
    assert list(normalizer("basic", "words").words(text)) == words


def test_english_resolves_them_too() -> None:
    assert normalizer("english").words("The \u0441at\u200b sat") == ("the", "cat", "sat")


def test_characters_of_a_manifest() -> None:
    texts = ["a\u200bb", "plain", "c\u200bd\u200be", "\u0441at sat"]
    rows = [Utterance(id=str(i), text=text, duration=1.0, line=i) for i, text in enumerate(texts, start=1)]
    odd = OddCharacters()
    for row in rows:
        odd.add(row)
    assert odd.rows == 3
    found = [(one.code_point, one.name, one.kind, one.rows, one.lines) for one in odd.most_frequent_first()]
    assert found == [
        ("U+200B", "ZERO WIDTH SPACE", "invisible", 2, [1, 3]),
        ("U+0441", "CYRILLIC SMALL LETTER ES", "look_alike", 1, [4]),
    ]
