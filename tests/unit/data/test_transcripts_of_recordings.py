"""Transcripts of whole recordings give each of their pieces its own words, or are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lora.data.transcripts.files import read_transcript_file
from lora.data.transcripts.row_matching import match_rows
from lora.records.base import UserError
from lora.records.manifests import Utterance

TIMES = [("one", 0.0, 2.0), ("two", 2.0, 4.0)]
SEGMENTS = {"segments": [{"text": text, "start": start, "end": end} for text, start, end in TIMES]}
CHUNKS = {"text": "one two", "chunks": [{"text": f" {text}", "timestamp": [start, end]} for text, start, end in TIMES]}


def pieces(audio: str = "wav/talk.wav", offsets: tuple[float | None, ...] = (0.0, 2.0)) -> list[Utterance]:
    return [
        Utterance(id=f"{audio}-{offset}", text="x", duration=2.0, audio=audio, offset=offset, line=line)
        for line, offset in enumerate(offsets, start=1)
    ]


def hypotheses(folder: Path, files: dict[str, Any], rows: list[Utterance]) -> list[str]:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name).write_text(text, encoding="utf-8")
    matched = match_rows(folder, read_transcript_file(folder), rows, [])
    return [matched.hypotheses[row.id].hypothesis for row in rows]


@pytest.mark.parametrize("content", [SEGMENTS, CHUNKS])
def test_each_piece_has_its_words(tmp_path: Path, content: Any) -> None:
    assert hypotheses(tmp_path, {"talk.json": content}, pieces()) == ["one", "two"]


@pytest.mark.parametrize(
    "content",
    [
        "1\n00:00:00,000 --> 00:00:02,000\none\n\n2\n00:00:02,000 --> 00:00:04,000\ntwo\n",
        "WEBVTT\n\n00:00.000 --> 00:02.000\none\n",
        "0.000000\t2.000000\tone\n2.000000\t4.000000\ttwo\n",
        "\n0,0\t2,5\tone\r\n\\\t100.0\t200.0\r\n2,5\t4,0\t\r\n",
    ],
    ids=["srt", "vtt", "Audacity", "Audacity with frequencies"],
)
def test_times_in_plain_text_are_no_words(tmp_path: Path, content: str) -> None:
    """Of a recording that is one row, they would be scored as words."""
    folder = tmp_path / "h"
    folder.mkdir()
    with pytest.raises(UserError, match=r"h/talk\.txt: subtitles \(srt or vtt\) or labels with times"):
        hypotheses(folder, {"talk.txt": content}, pieces(offsets=(None,)))
    (tmp_path / "talk.txt").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=r"subtitles"):
        read_transcript_file(tmp_path / "talk.txt")


def test_the_last_chunk_may_have_no_end(tmp_path: Path) -> None:
    chunks = [*CHUNKS["chunks"][:1], {"text": "two", "timestamp": [2.5, None]}]
    assert hypotheses(tmp_path, {"talk.json": {"chunks": chunks}}, pieces()) == ["one", "two"]


def test_a_word_without_times_is_where_the_word_before_it_ends(tmp_path: Path) -> None:
    """Spread evenly over the segment, it would be in the second piece."""
    words = [{"word": "one", "start": 0.1, "end": 0.4}, {"word": "2"}]
    content = {"segments": [{"start": 0, "end": 4, "text": "one 2", "words": words}]}
    assert hypotheses(tmp_path, {"talk.json": content}, pieces()) == ["one 2", ""]


@pytest.mark.parametrize(
    ("name", "content"),
    [("talk.json", {"text": "one two"}), ("talk.json", {"text": "one two", "segments": []}), ("talk.txt", "one two")],
)
def test_a_text_without_times_belongs_to_a_recording_of_one_row(tmp_path: Path, name: str, content: Any) -> None:
    assert hypotheses(tmp_path, {name: content}, pieces(offsets=(None,))) == ["one two"]
    for rows in (pieces(), pieces(offsets=(2.0,))):
        with pytest.raises(UserError, match=r"the transcript of 'talk' has no times of the whole recording, but \d"):
            hypotheses(tmp_path, {name: content}, rows)


@pytest.mark.parametrize("key", ["words", "result"])
def test_times_of_words_without_segments_are_named(tmp_path: Path, key: str) -> None:
    """As in the JSON of Vosk, AssemblyAI and OpenAI, whose words may lack the punctuation of the text."""
    content = {"text": "one two", key: [{"word": "one", "start": 0.0, "end": 0.5}]}
    with pytest.raises(UserError, match=r"times of words \(`words`, `result`\) are read within segments only"):
        hypotheses(tmp_path, {"talk.json": content}, pieces())


def test_times_that_start_again_are_none(tmp_path: Path) -> None:
    """Some versions of transformers, and OpenVINO, count the seconds of every window of 30 s from 0."""
    times = [("one", 0.0, 5.0), ("two", 5.0, 29.0), ("three", 0.0, 4.0), ("four", 4.0, 9.0)]
    chunks = [{"text": f" {text}", "timestamp": [start, end]} for text, start, end in times]
    content = {"text": " one two three four", "chunks": chunks}
    assert hypotheses(tmp_path, {"talk.json": content}, pieces(offsets=(None,))) == ["one two three four"]
    with pytest.raises(UserError, match=r"no times of the whole recording, but 2 rows .* times that never start again"):
        hypotheses(tmp_path, {"talk.json": content}, pieces(offsets=(0.0, 30.0)))


def test_two_transcripts_of_a_recording_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"'TALK' and 'talk' are both transcripts of wav/talk\.wav"):
        hypotheses(tmp_path, {"TALK.json": SEGMENTS, "talk.json": SEGMENTS}, pieces())


def test_recordings_of_one_name_need_their_folder(tmp_path: Path) -> None:
    rows = [*pieces("a/talk.wav"), *pieces("b/talk.wav")]
    with pytest.raises(UserError, match=r"'talk' could be a/talk\.wav or b/talk\.wav"):
        hypotheses(tmp_path, {"talk.json": SEGMENTS}, rows)
    path = tmp_path / "hyp.ctm"
    path.write_text("b/talk 1 0.5 0.2 three\na/talk 1 2.5 0.2 four\n")
    matched = match_rows(path, read_transcript_file(path), rows, [])
    assert [matched.hypotheses[row.id].hypothesis for row in rows] == ["", "four", "three", ""]


@pytest.mark.parametrize("name", ["ids", "paths"])
def test_lists_of_ids_are_not_matched_by_their_order(tmp_path: Path, name: str) -> None:
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps({"predictions": ["two", "one"], name: ["b", "a"]}))
    rows = [Utterance(id=id, text="x", duration=1.0, audio=f"{id}.wav") for id in "ab"]
    matched = match_rows(path, read_transcript_file(path), rows, [])
    assert [matched.hypotheses[id].hypothesis for id in "ab"] == ["one", "two"]


def test_words_of_a_ctm_keep_their_blanks_and_numbers_are_plain(tmp_path: Path) -> None:
    path = tmp_path / "x.ctm"
    path.write_text("u 1 0 .5 10\u00a0000\n")
    assert read_transcript_file(path).words["u"][0].text == "10\u00a0000"
    path.write_text("u 1 1_0 .5 one\n")
    with pytest.raises(UserError, match=r"x\.ctm:1: expected file, channel, start"):
        read_transcript_file(path)
