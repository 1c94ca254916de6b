"""Transcripts in Parquet files are read like those of other tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from lora.data.transcripts.files import read_transcript_file
from lora.records.base import UserError

AUDIO = [{"bytes": b"RIFF", "path": "a.wav"}, {"bytes": b"RIFF", "path": "b.wav"}]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "h.parquet"


def write(path: Path, **columns: Any) -> None:
    pyarrow.parquet.write_table(pyarrow.table(columns), path)


@pytest.mark.parametrize(
    "columns",
    [
        {"id": ["a", "b"], "hypothesis": ["one", ""], "reference": ["x", "y"]},
        {"audio": AUDIO, "id": ["a", "b"], "pred_text": ["one", ""], "text": ["x", "y"]},
    ],
)
def test_rows_are_utterances(path: Path, columns: dict[str, Any]) -> None:
    write(path, **columns)
    file = read_transcript_file(path)
    assert file.format == "parquet"
    assert [(one.id, one.hypothesis, one.reference, one.line) for one in file.utterances] == [
        ("a", "one", "x", 1),
        ("b", "", "y", 2),
    ]


def test_columns_may_be_named(path: Path) -> None:
    write(path, name=["a"], said=["one"])
    (one,) = read_transcript_file(path, None, {"id": "name", "hypothesis": "said"}).utterances
    assert (one.id, one.hypothesis) == ("a", "one")


@pytest.mark.parametrize("kind", [pyarrow.binary(), pyarrow.large_binary()])
def test_texts_may_be_bytes(path: Path, kind: pyarrow.DataType) -> None:
    """As older writers of Parquet store them."""
    write(path, **{"utt id": ["a"], "Hypothesis": pyarrow.array(["één".encode()], kind), "audio": [b"RIFF\xff"]})
    (one,) = read_transcript_file(path).utterances
    assert (one.id, one.hypothesis) == ("a", "één")
    write(path, name=pyarrow.array([b"a"], kind), said=pyarrow.array([b"one"], kind))
    (one,) = read_transcript_file(path, None, {"id": "name", "hypothesis": "said"}).utterances
    assert (one.id, one.hypothesis) == ("a", "one")
    write(path, id=["a", "b"], hypothesis=pyarrow.array([b"one", b"\xff"], kind))
    with pytest.raises(UserError, match=r"h\.parquet: row 2: broken row: column hypothesis: not UTF-8"):
        read_transcript_file(path)


def test_what_cannot_be_read_is_named(path: Path) -> None:
    broken = pyarrow.array([b"one", b"\xff"], pyarrow.binary()).view(pyarrow.utf8())
    write(path, id=["a", "b"], hypothesis=broken)
    with pytest.raises(UserError, match=r"h\.parquet: row 2: broken row: column hypothesis: not UTF-8"):
        read_transcript_file(path)
    write(path, id=["a", "b"], hypothesis=["one", None])
    with pytest.raises(UserError, match=r"h\.parquet:2: .*hypothesis"):
        read_transcript_file(path)
    write(path, id=["a", "a"], hypothesis=["one", "two"])
    with pytest.raises(UserError, match=r"h\.parquet:2: duplicate hypothesis for id 'a'"):
        read_transcript_file(path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"h\.parquet: cannot be read as parquet: .*write the transcripts again"):
        read_transcript_file(path)
