"""Hidden files that macOS adds on the disks of other systems: `._a.tsv` for `a.tsv`, and `.DS_Store`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from lora.asr.adapter.identity import adapter_content
from lora.data.formats.registry import detect_format, manifest_files
from lora.data.manifest import read_manifest
from lora.data.source import Source
from lora.data.transcripts.files import read_transcript_file
from lora.records.base import UserError

APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(100)


def copied_by_macos(folder: Path) -> None:
    """Give every file of a folder a hidden one."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(APPLE_DOUBLE)
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1" + bytes(100))


def librispeech(folder: Path, wav: Callable[..., Path]) -> None:
    wav("x/84/7/84-7-0000.flac")
    (folder / "84/7/84-7.trans.txt").write_text("84-7-0000 ONE\n")


def kaldi(folder: Path, wav: Callable[..., Path]) -> None:
    wav("x/a.wav")
    (folder / "text").write_text("u1 one\n")
    (folder / "wav.scp").write_text("u1 a.wav\n")


def common_voice(folder: Path, wav: Callable[..., Path]) -> None:
    wav("x/clips/a.wav")
    (folder / "train.tsv").write_text("client_id\tpath\tsentence\ns\ta.wav\tone\n")


def audiofolder(folder: Path, wav: Callable[..., Path]) -> None:
    wav("x/a.wav")
    (folder / "metadata.csv").write_text("file_name,text\na.wav,one\n")


@pytest.mark.parametrize("write", [librispeech, kaldi, common_voice, audiofolder])
def test_rows_of_folders(tmp_path: Path, wav: Callable[..., Path], write: Callable[..., None]) -> None:
    folder = tmp_path / "x"
    write(folder, wav)
    split = "train" if write is common_voice else None
    before = read_manifest(Source(folder, split=split))
    copied_by_macos(folder)
    after = read_manifest(Source(folder, split=split))
    assert (after.format, after.rows, after.rejected) == (before.format, before.rows, [])
    assert [row.text for row in after.rows] == ["ONE" if write is librispeech else "one"]


def test_tables(tmp_path: Path) -> None:
    table = pyarrow.Table.from_pylist([{"audio": {"bytes": b"x", "path": "a.wav"}, "text": "one"}])
    parquet, arrow = tmp_path / "parquet/data/train-00000-of-00001.parquet", tmp_path / "arrow/a.arrow"
    for path in (parquet, arrow):
        path.parent.mkdir(parents=True)
        pyarrow.parquet.write_table(table, path)
        copied_by_macos(tmp_path / path.relative_to(tmp_path).parts[0])
    assert manifest_files(detect_format(Source(tmp_path / "parquet"))) == [parquet]
    assert manifest_files(detect_format(Source(tmp_path / "arrow"))) == [arrow]
    (tmp_path / "none").mkdir()
    (tmp_path / "none/._a.arrow").write_bytes(APPLE_DOUBLE)
    with pytest.raises(UserError, match="no manifest found in this folder"):
        detect_format(Source(tmp_path / "none"))


def test_transcripts(tmp_path: Path) -> None:
    folder = tmp_path / "x"
    folder.mkdir()
    (folder / "a.tsv").write_text("start\tend\ttext\n0\t1000\tone\n")
    before = read_transcript_file(folder)
    copied_by_macos(folder)
    assert read_transcript_file(folder) == before


def test_an_adapter_stays_the_same(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    before = adapter_content(tmp_path)
    copied_by_macos(tmp_path)
    assert adapter_content(tmp_path) == before
