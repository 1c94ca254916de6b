"""Data sets of the hub, tested on a local folder of the same shape."""

from __future__ import annotations

import sys
from pathlib import Path

import pyarrow.parquet
import pytest

from lora.data.conversion import convert
from lora.data.formats.registry import contains_audio, detect_format, manifest_files
from lora.data.source import Source
from lora.records.base import UserError


def test_an_id_is_no_path_and_has_no_files() -> None:
    source = Source(Path("org/name"), format="hub", split="test")
    assert detect_format(source) == source
    assert manifest_files(source) == []
    assert contains_audio(source)
    with pytest.raises(UserError, match="org/name: no such manifest; correct the path, or set `format: hub`"):
        detect_format(Source(Path("org/name")))


def test_without_the_package_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UserError, match="needs the package `datasets`; install it"):
        convert(Source(Path("org/name"), format="hub"), tmp_path / "o.jsonl", 0.05)


def test_a_split_of_a_data_set(wav, tmp_path, monkeypatch):
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path / "cache"))
    content = wav("a.wav", 1.5).read_bytes()
    (tmp_path / "data").mkdir()
    for split, text in (("train", "one"), ("test", "two")):
        rows = pyarrow.Table.from_pylist([{"audio": {"bytes": content, "path": "a.wav"}, "transcription": text}])
        pyarrow.parquet.write_table(rows, tmp_path / f"data/{split}-00000-of-00001.parquet")
    source = Source(tmp_path / "data", format="hub", split="test")
    result = convert(source, tmp_path / "out/o.jsonl", 0.05)
    assert [(row.text, row.duration) for row in result.rows] == [("two", 1.5)]
    assert (tmp_path / "out" / str(result.rows[0].audio)).is_file()
    with pytest.raises(UserError, match="contains several splits; choose with `split`, one of test, train"):
        convert(Source(source.path, format="hub"), tmp_path / "p.jsonl", 0.05)


def test_an_unknown_id_is_one_error(tmp_path, monkeypatch):
    pytest.importorskip("datasets")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UserError, match="cannot be loaded from the hub"):
        convert(Source(tmp_path / "none", format="hub"), tmp_path / "o.jsonl", 0.05)
