"""Tables as spreadsheets and data frames write them: extra rows, columns and lines, and columns of other names."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lora.data.manifest_lines import lines_as
from lora.data.row_fields import RowError, row_fields
from lora.data.text_encoding import with_line_feeds
from lora.data.transcripts.files import read_transcript_file
from lora.data.transcripts.row_matching import match_rows
from lora.records.base import UserError
from lora.records.manifests import Utterance

ROWS = [Utterance(id=f"u{number}", text="x", duration=1.0, line=number) for number in (1, 2, 3)]
TEXTS = {"u1": "a b", "u2": "c", "u3": "d"}


def hypotheses(path: Path, content: str) -> dict[str, str]:
    path.write_bytes(content.encode())
    matched = match_rows(path, read_transcript_file(path), ROWS, [])
    return {row: one.hypothesis for row, one in matched.hypotheses.items()}


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\r\nid;text\r\nu1;a b\r\nu2;c\r\nu3;d\r\n",
        "id,text\r\nu1,a b\r\nu2,c\r\nu3,d\r\n,\r\n,\r\n",  # empty rows below
        "id,text,,\r\nu1,a b,,\r\nu2,c,,\r\nu3,d,,\r\n",  # empty columns
        "id,text\ru1,a b\ru2,c\ru3,d\n",  # one line feed, at the end
        'id, text\nu1, "a b"\nu2, c\nu3, "d"\n',
        "ID,Text\nu3,d\nu1,a b\nu2,c\n",
        "Utterance ID,Hypothesis\nu3,d\nu1,a b\nu2,c\n",
        "wav_path,prediction\nx/u3.wav,d\nx/u1.wav,a b\nx/u2.wav,c\n",
    ],
)
def test_transcripts(tmp_path: Path, content: str) -> None:
    assert hypotheses(tmp_path / "x.csv", content) == TEXTS


def test_a_reference_is_another_column_than_the_hypothesis(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("ID,Text\nu1,a b\n")
    assert [(one.hypothesis, one.reference) for one in read_transcript_file(path).utterances] == [("a b", None)]
    path.write_text("ID,Text,Prediction\nu1,a b,a c\n")
    assert [(one.hypothesis, one.reference) for one in read_transcript_file(path).utterances] == [("a c", "a b")]
    path.write_text("id,text,transcription\nu1,a b,a c\n")
    file = read_transcript_file(path, columns={"reference": "text"})
    assert [(one.hypothesis, one.reference) for one in file.utterances] == [("a c", "a b")]


@pytest.mark.parametrize("start", ["sep=;\r\nid;audio;text;;\r\n", '"sep=;"\nid;audio;text;;\n'])
def test_manifests(tmp_path: Path, start: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(f"{start}u1;a.wav;a b;;\n;;;;\n".encode())
    assert list(lines_as("csv", path)) == [(3, {"id": "u1", "audio": "a.wav", "text": "a b", "": ""})]


@pytest.mark.parametrize("cell", ["#NAME?", "#VALUE!"])
def test_cells_that_a_spreadsheet_could_not_calculate_are_no_texts(tmp_path: Path, cell: str) -> None:
    """A text that begins with `=` or `-` is a formula for a spreadsheet, and lost when the table is saved."""
    with pytest.raises(RowError, match=f"no text: .*'{re.escape(cell)}'"):
        row_fields({"audio": "a.wav", "text": cell}, 1)
    for row in (f"u2,{cell},c", f"u2,c,{cell}"):
        with pytest.raises(UserError, match=rf"x\.csv:3: \w+ is '{re.escape(cell)}', which a spreadsheet writes"):
            hypotheses(tmp_path / "x.csv", f"id,hypothesis,reference\nu1,a b,a b\n{row}\nu3,d,d\n")


def test_texts_that_are_written_as_bytes_of_python(tmp_path: Path) -> None:
    """As `str` writes what TensorFlow returns, so that each text would begin with a word that nobody said."""
    for text in ("b'one two'", 'b"don\'t"', "b'caf\\xc3\\xa9'"):
        with pytest.raises(RowError, match=r"text is written as bytes of Python; write it with `\.decode\(\)`"):
            row_fields({"audio": "a.wav", "text": text}, 1)
    for text in ("b", "b'one", "be 'one'", "'b'", "b'one' two"):
        assert row_fields({"audio": "a.wav", "text": text}, 1)["text"] == text
    (tmp_path / "x.txt").write_text("u1 b'one two'\nu2\nu3 b'three'\n")
    with pytest.raises(UserError, match=r"x\.txt: each text is written as bytes of Python.*b'one two'"):
        read_transcript_file(tmp_path / "x.txt", "text")
    (tmp_path / "x.txt").write_text("u1 b'one two'\nu2 two\n")
    assert read_transcript_file(tmp_path / "x.txt", "text").utterances[0].hypothesis == "b'one two'"


def test_missing_values_of_data_frames() -> None:
    """`None` and `nan` are words as well, but nobody's name."""
    for cell in ("NaN", "<NA>"):
        with pytest.raises(RowError, match=f"no text: .*'{cell}'"):
            row_fields({"audio": "a.wav", "text": cell}, 1)
    for word in ("None", "nan", "null", "NULL"):
        found = row_fields({"audio": "a.wav", "text": word, "speaker_id": word}, 1)
        assert (found["text"], found["speaker_id"]) == (word, None)
    assert row_fields({"audio": "a.wav", "text": "x", "speaker_id": "Nan"}, 1)["speaker_id"] == "Nan"


@pytest.mark.parametrize(
    "content",
    [
        {"u3": {"hyp": "d"}, "u1": {"hyp": "a b"}, "u2": {"hyp": "c"}},
        {"results": [{"id": "u3", "hyp": "d"}, {"id": "u1", "hyp": "a b"}, {"id": "u2", "hyp": "c"}]},
        [{"hyp": "a b"}, {"hyp": "c"}, {"hyp": "d"}],
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_one_json_value(tmp_path: Path, content: object, indent: int | None) -> None:
    assert hypotheses(tmp_path / "x.json", json.dumps(content, indent=indent)) == TEXTS


@pytest.mark.parametrize(
    ("content", "column"),
    [
        ("audio_id,hyp\nu3,d\nu1,a b\nu2,c\n", "audio_id"),
        (json.dumps({"predictions": ["d", "a b", "c"], "clips": ["x/u3.wav", "x/u1.wav", "x/u2.wav"]}), "clips"),
    ],
)
def test_ids_of_another_order_are_not_ignored(tmp_path: Path, content: str, column: str) -> None:
    """Matched by their order, texts would be scored against those of other rows."""
    with pytest.raises(UserError, match=rf"no known column of ids, but '{column}' has ids or files of rows in another"):
        hypotheses(tmp_path / ("x.json" if content.startswith("{") else "x.csv"), content)


FIRST, UNUSABLE, LAST = '{"id": "u1", "text": "a"}', '{"id": "u2"}', '{"id": "u3", "text": "c"}'


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (f"[{FIRST}, {UNUSABLE}, {LAST}]", {"u1": "a", "u3": "c"}),
        (f"[{FIRST},\n{UNUSABLE},\n{LAST}]", {"u1": "a", "u3": "c"}),
        (f"[{FIRST},\n{UNUSABLE}, {LAST}]", None),
    ],
)
def test_a_text_of_an_unusable_row_belongs_to_no_other_row(
    tmp_path: Path, manifest: str, expected: dict[str, str] | None
) -> None:
    """In a JSON manifest, rows may share a line."""
    path = tmp_path / "m.json"
    path.write_text(manifest)
    lines = {row["id"]: line for line, row in lines_as("jsonl", path) if isinstance(row, dict)}
    rows = [replace(row, line=lines[row.id]) for row in ROWS if row.id != "u2"]
    path.write_text(json.dumps({"predictions": ["a", "b", "c"]}))
    texts = read_transcript_file(path)
    if expected is None:
        with pytest.raises(UserError, match="several are in line 2"):
            match_rows(path, texts, rows, ["u2"], [lines["u2"]])
    else:
        matched = match_rows(path, texts, rows, ["u2"], [lines["u2"]])
        assert {row: one.hypothesis for row, one in matched.hypotheses.items()} == expected


def test_rows_of_another_file_keep_their_order(tmp_path: Path) -> None:
    """Rows that this software has written have the lines of the file that it has read, whatever their order."""
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"predictions": ["a", "b", "c"]}))
    rows = [ROWS[2], ROWS[0], ROWS[1]]
    matched = match_rows(path, read_transcript_file(path), rows, [])
    assert {row: one.hypothesis for row, one in matched.hypotheses.items()} == {"u3": "a", "u1": "b", "u2": "c"}
    with pytest.raises(UserError, match="their lines are those of another file"):
        match_rows(path, read_transcript_file(path), rows[:2], ["u4"], [4])


def test_rows_between_two_stray_quotes_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('audio,text\na.wav,"one\nb.wav,two\nc.wav,three"\n')
    rows = dict(lines_as("csv", path))
    assert "a quote begins a cell that goes over the rows below" in str(rows[2])
    assert rows[3] == {"audio": "b.wav", "text": "two"}
    with pytest.raises(UserError, match="a quote begins a cell"):
        hypotheses(path, 'id,hyp\nu1,"a b\nu2,c\nu3,d"\n')
    path.write_text('audio,text\na.wav,"one\nYes, two\nno, three"\n')
    assert dict(lines_as("csv", path)) == {2: {"audio": "a.wav", "text": "one\nYes, two\nno, three"}}


def test_quotes_of_words_stay_in_a_table_with_tabs(tmp_path: Path) -> None:
    content = 'id\thyp\nu1\t"yes" or "no"\nu2\t"a ""b"""\nu3\t"d"\n'
    assert hypotheses(tmp_path / "x.tsv", content) == {"u1": '"yes" or "no"', "u2": 'a "b"', "u3": "d"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a\r\n", b"a\n"),
        (b"a\rb\r\n", b"a\nb\n"),
        (b"a\rb\n", b"a\nb\n"),
        (b"a\rb", b"a\nb"),
        (b"a\rb\nc", b"a\rb\nc"),
    ],
)
def test_carriage_returns_end_lines_where_hardly_anything_else_does(content: bytes, expected: bytes) -> None:
    assert with_line_feeds(content) == expected


@pytest.mark.parametrize("column", ["012", "100"])
def test_a_counter_is_no_column_of_ids(tmp_path: Path, column: str) -> None:
    """Data frames write one, from 0 in the order of the texts; other numbers may be those of errors."""
    path = tmp_path / "x.csv"
    path.write_text(",hyp\n" + "".join(f"{number},{text}\n" for number, text in zip(column, "abc", strict=True)))
    rows = [Utterance(id=id, text="x", duration=1.0, line=line) for line, id in enumerate("021", start=1)]
    matched = match_rows(path, read_transcript_file(path), rows, [])
    assert {row: one.hypothesis for row, one in matched.hypotheses.items()} == {"0": "a", "2": "b", "1": "c"}


def test_subtitles_are_refused(tmp_path: Path) -> None:
    """Their numbers could be ids of rows, with an empty text each."""
    with pytest.raises(UserError, match=r"subtitles \(srt or vtt\)"):
        hypotheses(tmp_path / "x.srt", "1\n00:00:00,000 --> 00:00:01,000\na b\n")
