"""Encodings of text files: by their marks, by their null bytes, or guessed and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.data.text_encoding import UnknownEncodingError, as_utf8, text_content
from lora.records.base import UserError

LINES = ["audio;text", "a.wav;žluťoučký kůň úpěl", "b.wav;plain"]
TEXT = "\n".join(LINES)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode(encoding: str) -> None:
    notes: list[str] = []
    assert as_utf8(TEXT.encode(encoding), notes).decode() == TEXT
    assert bool(notes) == ("8" not in encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_characters_with_a_null_byte_at_the_other_place(encoding: str) -> None:
    """U+4E00 is the most frequent character of many Chinese texts, U+0100 is a letter of Latvian."""
    lines = ["wavs/a.wav;Ābols 一\n", *(f"wavs/b{number}.wav;plain\n" for number in range(9))]
    text = "".join(lines)
    assert as_utf8(text.encode(encoding)).decode() == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "a small café, naïve"),
        ("cp1252", "était fermé"),  # the same bytes in cp1250
        ("cp1252", "el niño come piñas “aquí”"),
        ("cp1250", "příliš žluťoučký kůň úpěl"),
        ("cp1251", "съешь ещё этих мягких французских булок"),
        ("cp932", "日本語の音声認識"),
        ("gb18030", "中文语音识别系统"),
        ("cp1253", "καλημέρα κόσμε"),
    ],
)
def test_code_pages_are_guessed_and_reported(encoding: str, text: str) -> None:
    notes: list[str] = []
    table = f"audio;text\na.wav;x\nb.wav;{text}\n"
    assert as_utf8(table.encode(encoding), notes).decode() == table
    assert notes[0].startswith(f"not UTF-8, read as {encoding}: line 3 is then 'b.wav;{text}'")


@pytest.mark.parametrize(
    ("encoding", "lines"),
    [
        ("koi8_r", ["мама мыла раму, а папа читал газету", "завтра обещали дождь со снегом", "который теперь час?"]),
        ("koi8_u", ["її брат живе у великому місті", "я хочу з'їсти ще один вареник", "котра зараз година?"]),
        ("cp866", ["мама мыла раму, а папа читал газету", "завтра обещали дождь со снегом", "который теперь час?"]),
        ("iso8859_6", ["القطار يصل في الساعة السابعة", "أريد كوبا من الشاي", "أين المكتبة من فضلك"]),
        ("cp874", ["รถไฟจะมาถึงตอนเจ็ดโมงเช้า", "ขอชาหนึ่งถ้วยครับ", "ห้องสมุดอยู่ที่ไหน"]),
        ("euc_jp", ["電車は七時に着きます", "お茶を一杯ください", "図書館はどこにありますか"]),
        (
            "cp1254",
            [
                "tren saat yedide geliyor, acele etmeliyiz",
                "bir bardak çay istiyorum",
                "kütüphane nerede, biliyor muşsun",
            ],
        ),
        ("cp1252", ["það kostar ekkert að fara þangað", "hún ætlar að kaupa brauð", "ég veit það ekki, því miður"]),
    ],
)
def test_code_pages_of_several_lines(encoding: str, lines: list[str]) -> None:
    """Russian in KOI8-R is also half-width katakana, and Turkish is Western with six letters of Icelandic."""
    table = "audio;text\n" + "".join(f"{number}.wav;{line}\n" for number, line in enumerate(lines))
    assert as_utf8(table.encode(encoding)).decode() == table


def test_single_damaged_lines_do_not_change_the_encoding() -> None:
    notes: list[str] = []
    content = TEXT.encode() + b"\nc.wav;\xff\xfe\n"
    assert as_utf8(content, notes) == content
    assert notes == []


@pytest.mark.parametrize("damage", [b"\xff", b"\xc3", b"\xe6\x9d", b"\xb1\x80"])
def test_a_damaged_character_in_a_line_of_others_does_not_change_the_encoding(damage: bytes) -> None:
    """A JSON file may be one line."""
    content = TEXT.replace("\n", ";").encode() + damage + b" end"
    assert as_utf8(content) == content


@pytest.mark.parametrize(
    "line",
    [
        "b.wav;naïve 東京 мир".encode(),
        b"b.wav;\xff\xff\xff\xff\x80\x81",
        b"b.wav;\x81\x8d\x8f\x90\x9d",
        b"b.wav;\xe9\0\0\0",
        b"b.wav;\x1b[2J \xe9\xe8" + bytes(range(192, 255)),
    ],
)
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "une très grande maison à côté de la forêt, où il a neigé cet été"),
        ("cp1251", "съешь ещё этих мягких французских булок, да выпей чаю"),
        ("gb18030", "我们今天讨论语音识别系统的训练方法和数据质量问题"),
        ("cp932", "今日は音声認識の学習方法について話しますありがとうございます"),
    ],
)
def test_one_line_in_another_encoding_does_not_change_that_of_the_others(encoding: str, text: str, line: bytes) -> None:
    rows = [f"a{number}.wav;{text[number:]} {text[:number]}" for number in range(12)]
    content = [row.encode(encoding) for row in rows]
    read = text_content(Path("m.csv"), b"\n".join([*content[:5], line, *content[5:]]), "").split(b"\n")
    assert [row.decode() for row in read[:5] + read[6:]] == rows


def test_a_beginning_may_end_within_a_character() -> None:
    cut = TEXT.encode()[: TEXT.encode().index("ž".encode()) + 1]
    assert as_utf8(cut, whole=False) == cut
    assert as_utf8(TEXT.encode("utf-16")[:31], whole=False).decode().startswith("audio;text")


def test_what_is_no_character_of_another_encoding_stays_damaged() -> None:
    lone_surrogate = b"\x00\xd8"
    content = "a\nb ".encode("utf-16") + lone_surrogate + "\nc".encode("utf-16-le")
    assert as_utf8(content).split(b"\n") == [b"a", b"b \xff", b"c"]


def test_an_unknown_encoding_names_the_line() -> None:
    with pytest.raises(UnknownEncodingError) as error:
        as_utf8(b"a\n" + bytes(range(128, 256)) * 3)
    assert error.value.line == 2


def test_a_damaged_line_among_many_of_ascii_stays_damaged() -> None:
    content = b"a\nb\n" + bytes(range(128, 256)) * 3 + b"\nc\n"
    assert as_utf8(content) == content


def test_a_long_line_of_null_bytes_costs_itself_wherever_it_is() -> None:
    for lines in ([b"a", bytes(9000), b"b"], [b"a", bytes(9), bytes(9000), b"b", b"c"], [b"a", bytes(200_000)]):
        assert text_content(Path("m.jsonl"), b"\n".join(lines), "").split(b"\n") == lines
    with pytest.raises(UserError, match="not a text file"):
        text_content(Path("m.jsonl"), b"\0\n\1\na", "")


def test_a_damaged_line_with_null_bytes_is_in_no_other_encoding() -> None:
    """As after a power cut. Before, the note was that the file is not UTF-8, and read as `utf_8`."""
    notes: list[str] = []
    content = b"audio;text\na.wav;x\nb\xff\x81\0\0\0\0\0\nc.wav;y\n"
    assert as_utf8(content, notes) == content
    assert notes == []
