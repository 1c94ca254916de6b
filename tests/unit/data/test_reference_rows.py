"""Tables of references without audio, as a quick comparison reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.data.formats.registry import read_source
from lora.data.manifest import Manifest
from lora.data.source import Source
from lora.data.transcripts.columns import REFERENCES
from lora.data.transcripts.reference_rows import reference_rows
from lora.records.base import UserError


def read(folder: Path, name: str, lines: list[str], **columns: str) -> Manifest:
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return reference_rows(Source(path, columns=columns), silence=True)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("m.jsonl", ['{"id": 7, "text": "so it is", "duration": 1.5, "speaker": "s1"}', '{"id": 8, "text": "x"}']),
        ("m.csv", ["id,sentence,duration,client_id", "7,so it is,1.5,s1", "8,x,,"]),
        ("m.tsv", ["utt_id\ttranscript\tduration\tspk", "7\tso it is\t1.5 s\ts1", "8\tx\t\t"]),
    ],
)
def test_durations_and_speakers_of_references_without_audio_are_read(
    tmp_path: Path, name: str, lines: list[str]
) -> None:
    first, second = read(tmp_path, name, lines).rows
    assert (first.id, first.text, first.duration, first.speaker_id, first.audio) == ("7", "so it is", 1.5, "s1", None)
    assert (second.id, second.duration, second.speaker_id) == ("8", 0.0, None)


def test_a_damaged_row_of_references_costs_itself(tmp_path: Path) -> None:
    lines = ["id,text,duration", "a,so it is,1", "b,so,many", ",no id,1", "a,again,1"]
    found = read(tmp_path, "m.csv", lines)
    assert [(row.id, row.text) for row in found.rows] == [("a", "so it is")]
    assert [(row.line, row.reason.partition(":")[0]) for row in found.rejected] == [
        (3, "duration is not a number"),
        (4, "no id"),
        (5, "duplicate id, first used in line 2"),
    ]


def test_a_text_next_to_another_one_is_no_reference_by_its_name(tmp_path: Path) -> None:
    (row,) = read(tmp_path, "m.csv", ["id,text,reference,duration", "a,what was recognised,what was said,1"]).rows
    assert row.text == "what was said"


@pytest.mark.parametrize("column", REFERENCES)
def test_a_table_of_ids_and_references_is_one_of_references(tmp_path: Path, column: str) -> None:
    (row,) = read(tmp_path, "m.csv", [f"id,{column},speaker", "a,so it is,s1"]).rows
    assert (row.id, row.text, row.speaker_id) == ("a", "so it is", "s1")


def test_the_audio_of_a_data_root_may_be_elsewhere(tmp_path: Path) -> None:
    lines = ['{"a": {"wav": "{data_root}/a.wav", "length": 1.5, "words": "so it is"}}']
    (row,) = read(tmp_path, "m.json", lines).rows
    assert (row.id, row.text, row.duration) == ("a", "so it is", 1.5)
    with pytest.raises(UserError, match=r"audio paths begin with \{data_root\}"):
        read_source(Source(tmp_path / "m.json"))


def test_references_of_other_columns_can_be_named(tmp_path: Path) -> None:
    lines = ["uid,said,speaker", "a,so it is,s1"]
    with pytest.raises(UserError, match=r"m\.csv:2: no column of references: .*found uid, said, speaker"):
        read(tmp_path, "m.csv", lines)
    (row,) = read(tmp_path, "m.csv", lines, id="uid", text="said").rows
    assert (row.id, row.text, row.speaker_id) == ("a", "so it is", "s1")
