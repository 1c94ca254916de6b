"""Transcripts of icefall, Whisper and evaluation scripts: right ones, and one error for the first damaged entry.

No entry of a transcript file may be left out, because its utterance would be missing from one run only: so one damaged
entry refuses the file, with its place, its value and what was expected.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lora.data.transcripts.files import TranscriptFile, read_transcript_file
from lora.data.transcripts.row_matching import match_rows
from lora.records.base import UserError
from lora.records.manifests import Utterance


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def texts(file: TranscriptFile) -> dict[str, tuple[str, str | None]]:
    return {one.id: (one.hypothesis, one.reference) for one in file.utterances}


def words(file: TranscriptFile) -> dict[str, list[tuple[float, str]]]:
    return {name: [(round(word.start, 3), word.text) for word in said] for name, said in file.words.items()}


RECOGS = "u1-0:\tref=['one', \"two's\"]\nu1-0:\thyp=['one']\nu2-0:\tref=['x']\nu2-0:\thyp=[]\n"
SEGMENTS = [{"start": 0.0, "end": 2.0, "text": " one two"}, {"start": 2.0, "end": 3.0, "text": "three"}]
SPREAD = [(0.0, "one"), (1.0, "two"), (2.0, "three")]
TIMED = [
    {
        "start": 0,
        "end": 2,
        "text": "one two",
        "words": [{"word": " one", "start": 0.2, "end": 0.4}, {"word": " two", "start": 1.5, "end": 1.9}],
    }
]


def test_recogs(tmp_path: Path) -> None:
    file = read_transcript_file(write(tmp_path / "recogs-test.txt", RECOGS))
    assert file.format == "recogs"
    assert texts(file) == {"u1-0": ("one", "one two's"), "u2-0": ("", "x")}


def test_recogs_with_times(tmp_path: Path) -> None:
    timed = RECOGS.replace("u2-0:\tref", "u1-0:\ttimestamp_hyp=[0.08]\nu2-0:\tref")
    assert texts(read_transcript_file(write(tmp_path / "recogs-test.txt", timed))) == {
        "u1-0": ("one", "one two's"),
        "u2-0": ("", "x"),
    }


def test_predictions(tmp_path: Path) -> None:
    lists = {"predictions": ["one", ""], "references": ["one", "two"], "wer": 0.5}
    file = read_transcript_file(write(tmp_path / "x.json", lists))
    assert file.format == "predictions"
    assert texts(file) == {"line 1": ("one", "one"), "line 2": ("", "two")}
    assert list(texts(read_transcript_file(write(tmp_path / "x.json", {**lists, "id": ["u1", "u2"]})))) == ["u1", "u2"]


def test_segments_of_one_recording(tmp_path: Path) -> None:
    for name, content in {
        "talk.json": {"text": "one two three", "segments": SEGMENTS, "language": "en"},
        "talk.csv": "start,end,text\n0.0,2.0,one two\n2.0,3.0,three\n",
        "talk.tsv": "start\tend\ttext\n0\t2000\tone two\n2000\t3000\tthree\n",  # Whisper: milliseconds
    }.items():
        file = read_transcript_file(write(tmp_path / name, content))
        assert (file.format, words(file)) == ("segments", {"talk": SPREAD}), name
    assert words(read_transcript_file(write(tmp_path / "talk.json", {"segments": TIMED}))) == {
        "talk": [(0.2, "one"), (1.5, "two")]
    }


def timed(*texts: str) -> list[dict[str, Any]]:
    return [{"word": text, "start": place, "end": place + 0.5} for place, text in enumerate(texts)]


FRENCH = " d'avoir aujourd'hui dix-huit"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # Whisper, faster-whisper and the server of whisper.cpp split words and write the space before a word with it.
        ([{"start": 0, "end": 9, "text": FRENCH, "words": timed(" d", "'avoir", " aujourd", "'hui", " dix", "-huit")}],
         "d'avoir aujourd'hui dix-huit"),
        ({"chunks": [{"text": text, "timestamp": [0, 1]} for text in (" o", "'clock", " now")]}, "o'clock now"),
        ({"text": "ab c", "chunks": [{"text": text, "timestamp": [0, 1]} for text in ("a", "b", " ", "c")]}, "ab c"),
        ([{"start": 0, "end": 9, "text": "你好吗", "words": timed("你", "好", "吗")}], "你好吗"),
        # WhisperX writes words without spaces, whisper-timestamped calls them `text`.
        ([{"start": 0, "end": 9, "text": " we do", "words": timed("we", "do")}], "we do"),
        ([{"start": 0, "end": 9, "text": " we do", "words": [{"text": "we", "start": 0, "end": 1},
                                                             {"text": "do", "start": 8, "end": 9}]}], "we do"),
        ({"text": " we do", "segments": [{"start": 0, "end": 1, "text": " we"}, {"start": 1, "end": 2, "text": " do"}]},
         "we do"),
    ],
)  # fmt: skip
def test_words_are_joined_as_their_tool_joins_them(tmp_path: Path, content: Any, expected: str) -> None:
    file = read_transcript_file(write(tmp_path / "u1.json", content), "segments")
    matched = match_rows(tmp_path, file, [Utterance(id="u1", text="x", duration=9.0)], [])
    assert matched.hypotheses["u1"].hypothesis == expected


TIMES_IN_TEXT = [(0.0, "one"), (1.5, "two")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("talk.csv", 'start,end,text\n0,1500," one"\n1500,2000," two"\n'),  # whisper.cpp: milliseconds
        ("talk.csv", "Start;End;Text\n0,0;1,5;one\n1,5;2,0;two\n"),
        ("talk.csv", "start,end,text\n00:00:00,00:00:01.5,one\n00:00:01.500,00:00:02,two\n"),
        ("talk.json", '{\n\t"systeminfo": "",' + "\n" * 30 + '"transcription": [{"offsets": {"from": 0, "to": 1500}, '
                      '"text": " one"}, {"offsets": {"from": 1500, "to": 2000}, "text": " two"}]}'),
    ],
)  # fmt: skip
def test_times_of_segments(tmp_path: Path, name: str, content: str) -> None:
    file = read_transcript_file(write(tmp_path / name, content))
    assert (file.format, words(file)) == ("segments", {"talk": TIMES_IN_TEXT})


@pytest.mark.parametrize("damaged", ["4000\t5000.5\tfour", "4000\t5000\u2028\tfour", "4000\t5000\tfour" + "r" * 90_000])
def test_a_damaged_line_does_not_decide_the_unit_of_all_times(tmp_path: Path, damaged: str) -> None:
    lines = ["start\tend\ttext", *(f"{n}000\t{n + 1}000\tone two" for n in range(4)), damaged]
    (tmp_path / "talk.tsv").write_text("\n".join(lines))
    words = read_transcript_file(tmp_path / "talk.tsv").words["talk"]
    assert [word.start for word in words] == [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0]


def test_whole_seconds_are_no_milliseconds(tmp_path: Path) -> None:
    """A paragraph may be minutes long."""
    said = " ".join(["word"] * 240)
    file = read_transcript_file(write(tmp_path / "talk.tsv", f"start\tend\ttext\n0\t1\tone\n1\t241\t{said}\n"))
    assert words(file)["talk"][:3] == [(0.0, "one"), (1.0, "word"), (2.0, "word")]


def test_a_folder_of_whisper(tmp_path: Path) -> None:
    """Whisper writes every recording in five formats; settings next to them are no recording."""
    folder = tmp_path / "out"
    write(folder / "a.json", {"segments": SEGMENTS})
    write(folder / "b.json", {"text": "alone"})
    for name in ("a.txt", "a.tsv", "a.srt", "a.vtt"):
        write(folder / name, "not read")
    write(folder / "out.settings.json", "{}")
    file = read_transcript_file(folder)
    assert words(file)["a"] == SPREAD
    assert [(word.text, word.timed) for word in file.words["b"]] == [("alone", False)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("r.txt", RECOGS + "u3-0:\thyp=['one'\n", ":5: expected a list of words such as ['the', 'cat']: \"['one'\""),
        ("r.txt", RECOGS + "u3-0:\thyp=[1]\n", ":5: expected a list of words such as ['the', 'cat']: '[1]'"),
        ("r.txt", RECOGS + "u3-0:\thyp=__import__('os')\n", ":5: expected a list of words"),
        ("r.txt", RECOGS + "u3-0:\tref=['x']\n", ":5: 'u3-0' has a reference but no line `u3-0: hyp=[...]`"),
        ("r.txt", "u1:\tref=['a']\nu1:\tref=['b']\n", ":2: second reference of 'u1', first in line 1"),
        ("s.json", "null", ": no segments; expected"),
        ("r.txt", RECOGS + "u1-0:\thyp=['x']\n", ":5: duplicate hypothesis for id 'u1-0' (first in line 2); keep one"),
        ("p.json", {"predictions": ["a", "b"], "references": ["a"]},
         ": its lists have different lengths (predictions has 2, references has 1); write one entry per utterance"),
        ("p.json", {"predictions": ["a", None]}, ":2: no predictions (null); expected a string"),
        ("s.json", {"segments": [*SEGMENTS, {"start": 5, "end": 4, "text": "x"}]},
         ": segment 3: expected start, end (seconds from 0, end after start) and text; found {'start': 5, 'end': 4"),
        ("s.json", {"segments": [*SEGMENTS, {"start": 5, "end": 6, "text": None}]}, ": segment 3: expected start, end"),
        ("s.csv", "start,end,text\n0,1,one\nsoon,2,two\n", ":3: expected start, end (seconds from 0, end after start)"),
        ("s.tsv", "start\tend\ttext\n0\t1000\tone\n5\n", ":3: broken line: 1 columns where the header has 3"),
        ("s.json", '{"segments": [{"start": 0, "end": 1, "text": "x"', ": not JSON: "),
    ],
)  # fmt: skip
def test_a_damaged_entry_refuses_the_file(tmp_path: Path, name: str, content: Any, message: str) -> None:
    path = write(tmp_path / name, content)
    format = {"r": "recogs", "p": "predictions", "s": "segments"}[name[0]]
    with pytest.raises(UserError) as error:
        read_transcript_file(path, format)
    assert str(error.value).startswith(f"{path}{message}")


def test_a_folder_without_transcripts_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.srt", "1")
    with pytest.raises(UserError, match=r"a folder without transcripts; expected one \.json, \.csv, \.tsv, \.txt file"):
        read_transcript_file(tmp_path)
