"""Values that were silently read as something else: each is now read as what it says, or rejected."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from lora.data.manifest import Manifest, read_manifest
from lora.data.transcripts.files import read_transcript_file
from lora.records.base import UserError

Piece = tuple[str, float | None, float]


def recordings(folder: Path, *names: str, channels: int = 1) -> None:
    for name in names:
        soundfile.write(folder / name, np.full((80_000, channels), 0.1), 8000)  # 10 s


def manifest(folder: Path, name: str, content: str | bytes) -> Manifest:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_manifest(path)


def pieces(read: Manifest) -> list[Piece]:
    return [(row.text, row.offset, row.duration) for row in read.rows]


def test_start_and_stop_of_speechbrain_are_samples_of_the_file(tmp_path: Path) -> None:
    recordings(tmp_path, "call.wav")
    rows = ["ID,duration,wav,start,stop,wrd", "a,1.0,call.wav,8000,16000,one", "b,10.0,call.wav,0,80000,two"]
    rows += ["c,1.0,gone.wav,8000,16000,three", "d,10.0,call.wav,0,0,four"]
    read = manifest(tmp_path, "m.csv", "\n".join(rows))
    assert pieces(read) == [("one", 1.0, 1.0), ("two", None, 10.0), ("four", None, 10.0)]
    assert [row.reason for row in read.rejected] == ["missing file: gone.wav"]


@pytest.mark.parametrize("segment", ["rec nan 3", "rec 1 nan", "rec 1_0 1_2", "rec inf inf"])
def test_segments_of_kaldi_need_numbers(tmp_path: Path, segment: str) -> None:
    recordings(tmp_path, "rec.wav")
    (tmp_path / "wav.scp").write_text("rec rec.wav\nempty\n")
    (tmp_path / "text").write_text("good one\nbad two\nlost three\n")
    (tmp_path / "segments").write_text(f"good rec 1 3\nbad {segment}\nlost empty 1 3\n")
    read = read_manifest(tmp_path)
    assert pieces(read) == [("one", 1.0, 2.0)]
    assert [row.reason for row in read.rejected] == [
        "no audio: expected `utterance recording start end`, times in seconds (segments:2)",
        "no audio: wav.scp names no file for empty (wav.scp:2)",
    ]


@pytest.mark.parametrize("where", ["cut", "supervision"])
@pytest.mark.parametrize("key", ["start", "duration"])
@pytest.mark.parametrize("value", [math.nan, math.inf, True, 10**400])
def test_cuts_of_lhotse_need_numbers(tmp_path: Path, where: str, key: str, value: Any) -> None:
    recordings(tmp_path, "r.wav")
    source = {"sources": [{"type": "file", "channels": [0], "source": "r.wav"}], "duration": 10.0}
    cuts = []
    for id in ("good", "bad"):
        part = {"id": id, "start": 0.0, "duration": 2.0, "text": id}
        cut = {"id": id, "start": 1.0, "duration": 2.0, "channel": 0, "supervisions": [part], "recording": source}
        if id == "bad":
            (cut if where == "cut" else part)[key] = value
        cuts.append(json.dumps(cut))
    read = manifest(tmp_path, "cuts.jsonl", "\n".join(cuts))
    assert pieces(read) == [("good", 1.0, 2.0)]
    assert "is not a number" in read.rejected[0].reason


def test_a_piece_with_an_end_needs_a_start(tmp_path: Path) -> None:
    recordings(tmp_path, "r.wav")
    read = manifest(tmp_path, "m.csv", "audio,text,start,end\nr.wav,one,1.0,2.0\nr.wav,two,,4.0\n")
    assert pieces(read) == [("one", 1.0, 1.0)]
    assert read.rejected[0].reason == "no start: the row ends at 4 s of its recording and has no start"


def test_durations_shorter_than_any_sample_are_rejected(tmp_path: Path) -> None:
    recordings(tmp_path, "r.wav")
    read = manifest(tmp_path, "m.jsonl", '{"audio": "r.wav", "text": "one", "duration": 1e-320}\n')
    assert read.rejected[0].reason.startswith("zero length: duration is")


def test_a_channel_of_a_table_with_a_gap_is_that_channel(tmp_path: Path) -> None:
    recordings(tmp_path, "st.wav", channels=2)
    recordings(tmp_path, "mono.wav")
    read = manifest(tmp_path, "m.csv", "audio,text,channel\nst.wav,a,0.0\nst.wav,b,1.0\nmono.wav,c,\n")
    assert [(row.text, row.channel) for row in read.rows] == [("a", 0), ("b", 1), ("c", None)]


def test_repeated_byte_order_marks_are_no_part_of_the_first_column(tmp_path: Path) -> None:
    recordings(tmp_path, "r.wav")
    marks = b"\xef\xbb\xbf" * 2
    for name, content in (
        ("m.csv", b"id,audio,text\nx,r.wav,one\n"),
        ("m.jsonl", b'{"id":"x","audio":"r.wav","text":"a"}\n'),
    ):
        assert [row.id for row in manifest(tmp_path, name, marks + content).rows] == ["x"], name
    (tmp_path / "h.csv").write_bytes(marks + b"id,hyp\nx,one\n")
    assert read_transcript_file(tmp_path / "h.csv").utterances[0].id == "x"


STRAY_QUOTES = {
    "last": 'id,audio,text\nx,a.wav,"one\ny,b.wav,two\nz,c.wav,three"\n',
    "middle": 'id,text,audio\nx,"one,a.wav\ny,two,b.wav\nz,three",c.wav\n',
}


@pytest.mark.parametrize("where", STRAY_QUOTES)
def test_rows_between_two_stray_quotes_are_rows(tmp_path: Path, where: str) -> None:
    recordings(tmp_path, "a.wav", "b.wav", "c.wav")
    read = manifest(tmp_path, "m.csv", STRAY_QUOTES[where])
    assert [row.id for row in read.rows] == ["y", "z"]
    assert [(row.line, "a quote begins a cell" in row.reason) for row in read.rejected] == [(2, True)]
    (tmp_path / "h.csv").write_text(STRAY_QUOTES[where])
    with pytest.raises(UserError, match=r"h\.csv:2: broken line: a quote begins a cell that goes over the rows below"):
        read_transcript_file(tmp_path / "h.csv")


def test_a_cell_of_several_lines_is_one_text(tmp_path: Path) -> None:
    recordings(tmp_path, "a.wav", "b.wav")
    read = manifest(tmp_path, "m.csv", 'id,audio,text\nx,a.wav,"yes, well\nthe end, of it, all"\ny,b.wav,two\n')
    assert [row.text for row in read.rows] == ["yes, well the end, of it, all", "two"]
