"""What an error rate counts: words, or characters where a script writes no spaces."""

import pytest

from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.normalizers import normalizer
from lora.scoring.units import counted_unit, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hello big world", ["hello", "big", "world"]),
        ("今天天气好", list("今天天气好")),
        ("今天 天气", list("今天天气")),
        ("我 用 iPhone15拍照", ["我", "用", "iPhone15", "拍", "照"]),
        ("東京タワー", list("東京タワー")),
        ("ที่นี่", ["ที่", "นี่"]),  # tone and vowel signs belong to their consonant
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),  # Korean writes spaces
        ("मैं घर पर हूँ", ["मैं", "घर", "पर", "हूँ"]),
        ("كيف حالك", ["كيف", "حالك"]),
        ("", []),
    ],
)
def test_tokens_of_auto(text: str, expected: list[str]) -> None:
    assert tokens(text.split(), "auto") == expected


def test_a_chosen_unit_is_used_whatever_the_script() -> None:
    assert tokens(["今天", "ok"], "words") == ["今天", "ok"]
    assert tokens(["今天", "ok"], "characters") == ["今", "天", "o", "k"]


@pytest.mark.parametrize(
    ("references", "unit"),
    [
        (["今天天气很好", "我们去公园"], "characters"),
        (["今天天气很好我们去公园玩吧 ok"], "characters"),
        (["please open 微信 now", "我 like it"], "mixed"),
        (["good morning", "good night"], "words"),
        ([], "words"),
    ],
)
def test_the_unit_of_a_set(references: list[str], unit: str) -> None:
    split = [tokens(text.split(), "auto") for text in references]
    assert counted_unit(split, "auto") == unit
    assert counted_unit(split, "words") == "words"


@pytest.mark.parametrize("name", ["basic", "none"])
def test_chinese_is_judged_by_characters_and_its_cer_is_the_same(name: str) -> None:
    rows = [Utterance(id="a", text="今天天气很好", duration=1.0)]
    transcripts = {"a": Transcript(id="a", reference="", hypothesis="今天天汽好", duration=1.0, truncated=False)}
    (scored,) = utterance_errors(rows, transcripts, normalizer(name))
    assert (scored.words, scored.substitutions, scored.deletions, scored.insertions) == (6, 1, 1, 0)
    assert (scored.characters, scored.character_errors) == (6, 2)
    (by_words,) = utterance_errors(rows, transcripts, normalizer(name, "words"))
    assert (by_words.words, by_words.errors, by_words.character_errors) == (1, 1, 2)


@pytest.mark.parametrize(("unit", "characters", "errors"), [("auto", 9, 1), ("characters", 9, 1), ("words", 12, 3)])
def test_spaces_of_a_script_without_spaces_are_no_characters(unit: str, characters: int, errors: int) -> None:
    """`a bc` keeps its space; a tool may write every Chinese character as a word."""
    row = Utterance(id="u", text="今天 a bc 天气 好", duration=1.0)
    transcript = Transcript(id="u", reference=row.text, hypothesis="今 天 a bc 天 汽 好", duration=1.0, truncated=False)
    (scored,) = utterance_errors([row], {"u": transcript}, normalizer("basic", unit))
    assert (scored.characters, scored.character_errors) == (characters, errors)


def test_the_unit_is_part_of_the_normaliser_that_parity_compares() -> None:
    assert normalizer("basic", "words").identity != normalizer("basic").identity
