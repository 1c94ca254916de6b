"""Columns read with pyarrow equal those of the rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lora.data.durations import hours
from lora.data.row_columns import UNKNOWN, RowColumns, columns_of, read_columns, total_hours
from lora.records.base import UserError, write_lines
from lora.records.manifests import Utterance

ROWS = [
    Utterance(id="a", text="Zwei Ähren.", duration=1.5, audio="a.wav", speaker_id="s1"),
    Utterance(id="b", text="x", duration=0.1 + 0.2, audio="b.wav"),
    Utterance(id="c", text="y", duration=3.0, audio="c.wav", speaker_id="s0", offset=1.0, line=7),
    Utterance(id="d", text="z", duration=4.0, audio="d.wav", speaker_id="s1"),
]


def same(first: RowColumns, second: RowColumns) -> bool:
    numbers = zip((first.durations, first.speakers), (second.durations, second.speakers), strict=True)
    texts = (first.names, first.texts) == (second.names, second.texts)
    return texts and all(np.array_equal(*pair) for pair in numbers)


def written(folder: Path, rows: list[Utterance]) -> Path:
    write_lines(folder / "rows.jsonl", rows)
    return folder / "rows.jsonl"


def test_a_file_and_its_rows_have_the_same_columns(tmp_path: Path) -> None:
    result = read_columns(written(tmp_path, ROWS), texts=True)
    assert same(result, columns_of(ROWS))
    assert result.speakers.tolist() == [0, UNKNOWN, 1, 0]
    assert read_columns(tmp_path / "rows.jsonl").texts == []


def test_files_of_several_blocks(tmp_path: Path) -> None:
    rows = [replace(ROWS[i % 4], id=str(i), text="word " * 50) for i in range(9000)]
    result = read_columns(written(tmp_path, rows), texts=True)
    assert same(result, columns_of(rows))
    assert total_hours(result.durations) == hours(rows)


def test_inline_samples_longer_than_a_block_and_no_rows_at_all(tmp_path: Path) -> None:
    long = replace(ROWS[1], audio=None, samples=[0.123456789] * 200_000, sampling_rate=16000)
    assert same(read_columns(written(tmp_path, [ROWS[0], long]), texts=True), columns_of([ROWS[0], long]))
    assert same(read_columns(written(tmp_path, [])), columns_of([]))


@pytest.mark.parametrize("broken", ['{"id": "a", "text": "x"}', '{"id": "a", "duration": 1.0}', "no JSON", "[1]"])
def test_a_broken_row_is_an_error_with_its_line(tmp_path: Path, broken: str) -> None:
    path = written(tmp_path, ROWS)
    path.write_text(path.read_text() + broken + "\n")
    with pytest.raises(UserError, match=r"rows\.jsonl:5: not a Utterance record"):
        read_columns(path, texts=True)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such file of rows"):
        read_columns(tmp_path / "none.jsonl")
