"""Files of finished work are as they were written, or the work is done again."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.asr.checksums import CHECKSUMS, damaged_files, write_checksums


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "adapter.safetensors").write_bytes(b"weights")
    (tmp_path / "train.json").write_text("{}")
    write_checksums(tmp_path)
    return tmp_path


def test_whole_files_and_those_of_earlier_versions(finished: Path) -> None:
    assert damaged_files(finished) == []
    (finished / "train.json").write_text("{ }")
    (finished / CHECKSUMS).unlink()
    assert damaged_files(finished) == []


def test_damaged_and_missing_files_are_named(finished: Path) -> None:
    (finished / "best" / "adapter.safetensors").write_bytes(b"weighty")
    (finished / "train.json").unlink()
    assert damaged_files(finished) == ["best/adapter.safetensors", "train.json"]


@pytest.mark.parametrize("content", ["[]", "{", ""])
def test_damaged_checksums_count_as_damage(finished: Path, content: str) -> None:
    (finished / CHECKSUMS).write_text(content)
    assert damaged_files(finished) == [CHECKSUMS]
