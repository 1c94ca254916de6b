"""Letters that one side never writes, and what the other side writes in their place."""

from __future__ import annotations

import random
import unicodedata

import pytest

from lora.records.manifests import Utterance
from lora.scoring.alignment import scored_pair
from lora.scoring.letter_variants import letter_variants
from lora.scoring.normalizers import normalizer
from lora.scoring.notations import notation_scores

RUSSIAN = ["ещё идёт дождь", "всё моё там", "её берёза у дома", "он шёл домой"]
ARABIC = ["كَتَبَ الوَلَدُ", "ذَهَبَ إلى البَيتِ", "شَرِبَ الماءَ"]
SERBIAN = [
    "љубав је вода",
    "њен дом и љуљашка",
    "вода и дом",
    "јела је леб",
    "невоља и њива",
    "шум и дуд",
    "душа и дубок уј",
] * 5
LATIN = dict(zip("абвдејклмноиуш", "abvdejklmnoiuš", strict=True)) | {"љ": "lj", "њ": "nj"}
TRADITIONAL = ["電腦說話", "學習漢語", "請開門吧", "這個國家"]
SIMPLIFIED = ["电脑说话", "学习汉语", "请开门吧", "这个国家"]


def variants(references: list[str], hypotheses: list[str]) -> dict[str, str]:
    words = normalizer("basic")
    rows = [Utterance(id=f"r{n}", text=text, duration=3.0) for n, text in enumerate(references)]
    return letter_variants([scored_pair(row, text, words) for row, text in zip(rows, hypotheses, strict=True)])


def without_marks(text: str) -> str:
    return "".join(c for c in text if not unicodedata.combining(c))


@pytest.mark.parametrize("swapped", [False, True])
def test_one_letter_for_another(swapped: bool) -> None:
    sides = RUSSIAN, [text.replace("ё", "е") for text in RUSSIAN]
    assert variants(*(reversed(sides) if swapped else sides)) == {"ё": "е"}


def test_nothing_for_a_vowel_sign() -> None:
    assert variants(ARABIC, [without_marks(text) for text in ARABIC]) == {"\u064e": ""}  # the others occur too rarely


def test_a_space_for_a_non_joiner() -> None:
    texts = ["می\u200cروم", "نمی\u200cدانم", "کتاب\u200cها آمد", "خانه\u200cها بود", "می\u200cرود"]
    assert variants(texts, [text.replace("\u200c", " ") for text in texts]) == {"\u200c": " "}


def test_two_letters_for_one() -> None:
    texts = ["für müde türen", "über grüne flüsse"]
    assert variants([text.replace("ü", "ue") for text in texts], texts) == {"ü": "ue"}


def test_another_alphabet_with_letters_of_two() -> None:
    hypotheses = [text.translate(str.maketrans(LATIN)) for text in SERBIAN]
    found = variants(SERBIAN, hypotheses)
    assert {letter: found[letter] for letter in "адљ"} == {"а": "a", "д": "d", "љ": "lj"}


def test_traditional_and_simplified_characters() -> None:
    found = variants(TRADITIONAL, SIMPLIFIED)
    assert (found["電"], found["腦"], found["門"]) == ("电", "脑", "门")
    assert variants(SIMPLIFIED, TRADITIONAL)["电"] == "電"


def test_a_chinese_name_that_is_never_right_is_wrong() -> None:
    texts = [f"佳怡{word}" for word in ("来了", "走了", "在家", "说话", "开门", "吃饭")]
    assert variants(texts, [text.replace("佳怡", "嘉宜") for text in texts]) == {}


def test_a_letter_that_is_sometimes_right_is_no_variant() -> None:
    hypotheses = [text.replace("ё", "е") for text in RUSSIAN]
    assert variants([*RUSSIAN, "ещё раз"], [*hypotheses, "ещё раз"]) == {}


def test_the_letter_of_one_word_may_be_a_wrong_word() -> None:
    texts = [f"{word} tür" for word in ("eine", "jede", "keine", "ihre", "alte", "neue")]
    assert variants(texts, [text.replace("ü", "o") for text in texts]) == {}


def test_letters_of_the_latin_alphabet_are_wrong_words() -> None:
    texts = ["the red tree here", "she went there", "the tenth letter"]
    assert variants(texts, [text.replace("e", "i") for text in texts]) == {}


def test_misrecognised_words_have_no_counterpart() -> None:
    chance = random.Random(4)
    letters = "аеиоукнтрсвлмпдбяйщёф"
    texts = [" ".join("".join(chance.choices(letters, k=5)) for _ in range(6)) for _ in range(40)]
    poor = [
        "".join(chance.choice(letters) if c != " " and chance.random() < 0.4 else c for c in text) for text in texts
    ]
    assert variants(texts, poor) == {}


def test_the_error_rate_where_letters_are_alike() -> None:
    hypotheses = [text.replace("ё", "е") for text in RUSSIAN]
    hypotheses[3] = "он шел дома"
    words = normalizer("basic")
    rows = [Utterance(id=f"r{n}", text=text, duration=3.0) for n, text in enumerate(RUSSIAN)]
    scored = [scored_pair(row, text, words) for row, text in zip(rows, hypotheses, strict=True)]
    (score,) = notation_scores(scored, words)
    assert (score.notation, score.errors, score.words, score.letters) == ("letters", 1, 13, {"ё": "е"})
    assert score.to_json()["letters"] == {"ё": "е"}
    assert "letters" not in score.model_copy(update={"letters": {}}).to_json()
