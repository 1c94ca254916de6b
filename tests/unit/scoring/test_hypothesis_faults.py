"""Hypotheses that are no transcripts are recognised by kind; poor transcripts are not among them."""

from __future__ import annotations

import pytest

from lora.records.manifests import Utterance
from lora.records.scores import HypothesisFault
from lora.scoring.alignment import scored_pair
from lora.scoring.copied_texts import copied_texts, is_styled
from lora.scoring.hypothesis_faults import hypothesis_faults
from lora.scoring.normalizers import normalizer

TEXTS = [
    "the ferry crossed a narrow harbour before noon",
    "my pencil broke while she painted the lantern",
    "thunder followed us along the empty meadow road",
    "pilots carried their baskets over the old bridge",
    "nobody lifted the violin from its wooden case",
]


def rows(texts: list[str]) -> list[Utterance]:
    return [Utterance(id=f"u{n}", text=text, duration=2.0, audio=f"{n}.wav") for n, text in enumerate(texts)]


def faults(texts: list[str], references: list[str] = TEXTS) -> list[HypothesisFault]:
    basic = normalizer("basic")
    return hypothesis_faults(scored_pair(row, text, basic) for row, text in zip(rows(references), texts, strict=True))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("!!!!", "one_token"),
        ("! ! ! ! ! !", "one_token"),
        ("\N{DOUBLE QUESTION MARK}" * 9, "one_token"),
        ("nananananananananana", "one_token"),
        ("", "empty"),
        ("...", "empty"),
        ("паром пересёк узкую гавань", "other_script"),
        ("ตอนเที่ยงเรือข้ามอ่าว", "other_script"),
        ("przed południem prom przepłynął wąski port", "other_language"),
        ("nobody painted my old violin along its road", "other_text"),
    ],
)
def test_one_faulty_text(text: str, kind: str) -> None:
    (fault,) = faults([text, *TEXTS[1:]])
    assert (fault.kind, fault.rows, fault.ids, fault.example) == (kind, 1, ["u0"], text)


@pytest.mark.parametrize(
    "text",
    [
        "the ferry crossed a narrow harbour before noon",
        "da fery croosed the narow harber befor noone",  # misspelt, and hardly a word is right
        "the ferry",
        "0000",
        "yes",
        "the ferry crossed a narrow harbour before noon before noon before noon before noon",
    ],
)
def test_poor_transcripts_are_no_fault(text: str) -> None:
    assert faults([text, *TEXTS[1:]]) == []


def test_numbers_read_digit_by_digit_are_no_token() -> None:
    assert faults(["00000000", *TEXTS[1:]], ["00000000", *TEXTS[1:]]) == []


def test_one_text_for_every_recording() -> None:
    (fault,) = faults(["Thanks for watching!"] * 5)
    assert (fault.kind, fault.rows, fault.example) == ("same_text", 5, "Thanks for watching!")


def test_one_text_for_equal_references_is_right() -> None:
    commands = ["stop it now please"] * 4 + ["turn on the kitchen light"]
    assert faults(commands, commands) == []


def test_a_prompt_before_every_transcript() -> None:
    (fault,) = faults([f"Transcribe the speech: {text}" for text in TEXTS])
    assert (fault.kind, fault.rows, fault.example) == ("prompt", 5, "transcribe the speech")


def test_one_word_before_most_transcripts() -> None:
    (fault,) = faults([f'{{"text": "{text}"}}' for text in TEXTS])
    assert (fault.kind, fault.rows, fault.example) == ("prompt", 5, "text")


@pytest.mark.parametrize(
    ("kind", "added"), [("prompt", "Sure, here is the transcript: {}"), ("ending", "{} Thank you for watching.")]
)
def test_words_added_to_some_transcripts(kind: str, added: str) -> None:
    references = [f"{text} {number}" for text in TEXTS for number in ("one", "two", "three", "four")]
    hypotheses = [added.format(text) if n % 6 == 0 else text for n, text in enumerate(references)]
    (fault,) = faults(hypotheses, references)
    assert (fault.kind, fault.rows, fault.ids) == (kind, 4, ["u0", "u6", "u12", "u18"])
    assert fault.example in {"sure here is the transcript", "thank you for watching"}
    few = [added.format(text) if n % 10 == 0 else text for n, text in enumerate(references)]
    assert faults(few, references) == []


def test_letters_apart_are_no_added_words() -> None:
    texts = [f"here {text}" for text in TEXTS]
    assert faults([" ".join(text.replace(" ", "")) for text in texts], texts) == []


def test_a_wrong_last_word_is_no_added_one() -> None:
    assert faults([f"{text.rsplit(' ', 1)[0]} eh" for text in TEXTS]) == []


@pytest.mark.parametrize(("kind", "part"), [("no_end", slice(-3)), ("no_beginning", slice(3, None))])
def test_three_words_lost_in_some_transcripts(kind: str, part: slice) -> None:
    references = [f"{number} {text} {number}" for text in TEXTS for number in ("one", "two", "three", "four")]
    hypotheses = [" ".join(text.split()[part]) if n % 6 == 0 else text for n, text in enumerate(references)]
    (fault,) = faults(hypotheses, references)
    assert (fault.kind, fault.rows, fault.ids) == (kind, 4, ["u0", "u6", "u12", "u18"])
    few = [" ".join(text.split()[part]) if n % 10 == 0 else text for n, text in enumerate(references)]
    assert faults(few, references) == []


def test_the_last_word_lost_in_most_transcripts() -> None:
    (fault,) = faults([text.rsplit(" ", 1)[0] for text in TEXTS])
    assert (fault.kind, fault.rows) == ("no_end", 5)
    assert faults([text.rsplit(" ", 1)[0] if n < 2 else text for n, text in enumerate(TEXTS)]) == []


def test_references_that_begin_alike_are_no_prompt() -> None:
    texts = [f"hello dear computer {text}" for text in TEXTS]
    assert faults(texts, texts) == []


def test_rows_without_a_word_do_not_count() -> None:
    assert faults(["", "", *TEXTS[2:]], ["", "...", *TEXTS[2:]]) == []


def test_equal_texts_count_where_the_reference_is_long() -> None:
    references = ["Yes.", "The ferry, as ever, was late.", "the ferry was late again today"]
    hypotheses = ["Yes.", "The  ferry, as ever, was late. ", "the ferry was late"]
    counts = copied_texts(zip(references, hypotheses, strict=True))
    assert (counts.rows, counts.words, counts.equal) == (2, 12, 1)
    assert (counts.styled, counts.equal_styled) == (1, 1)


def test_texts_without_spaces_are_long_by_their_characters() -> None:
    references = ["今天早上渡轮很晚才到港口。", "好的"]
    counts = copied_texts(zip(references, references, strict=True))
    assert (counts.rows, counts.words, counts.equal) == (1, 6, 1)


@pytest.mark.parametrize("text", ["The ferry was late", "room 12 is free", "late, as ever"])
def test_capitals_digits_and_marks_are_style(text: str) -> None:
    assert is_styled(text)


@pytest.mark.parametrize("text", ["it's late", "THE FERRY WAS LATE", "आज बाज़ार गया", "نمی\u200cدانم", "ผมชอบกิน", "كَتَبَ"])
def test_one_case_without_marks_is_no_style(text: str) -> None:
    assert not is_styled(text)
