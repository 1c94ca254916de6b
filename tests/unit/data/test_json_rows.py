"""Rows of JSON files that are not JSON lines, with the lines on which they start."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lora.data.json_rows import document_rows, is_document

ROWS = [{"audio": "a.wav", "text": "x [1]"}, {"audio": "b.wav", "text": "}{"}]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (json.dumps(ROWS), [1, 1]),
        (json.dumps(ROWS, indent=2), [2, 6]),
        ("\n\n" + json.dumps(ROWS, indent=2), [4, 8]),
        (json.dumps({"data": ROWS}), [1, 1]),
        (json.dumps({"data": ROWS}, indent=1), [3, 7]),
        ("\n".join(json.dumps(row, indent=2) for row in ROWS), [1, 5]),
        ("[" + ",\n".join(map(json.dumps, ROWS)) + "]", [1, 2]),
    ],
)
def test_lists_and_pretty_printed_objects(text: str, lines: list[int]) -> None:
    assert is_document(text.encode())
    assert list(document_rows(text)) == list(zip(lines, ROWS, strict=True))


@pytest.mark.parametrize("indent", [None, 2])
def test_the_keys_of_an_object_are_ids(indent: int | None) -> None:
    text = json.dumps({"u1": ROWS[0], "u2": {"id": "own", **ROWS[1]}}, indent=indent)
    assert is_document(text.encode())
    assert [row for _, row in document_rows(text)] == [{"id": "u1", **ROWS[0]}, {"id": "own", **ROWS[1]}]


@pytest.mark.parametrize(
    "rows",
    [
        ROWS,
        [{"audio": {"array": [0.0], "sampling_rate": 8000}, "text": "x"}],
        [{"source": {"id": "1"}, "target": {"text": "x"}}],
        [{"id": "c", "recording": {"id": "r"}}],
        [{"messages": [{"role": "user"}]}],
    ],
)
def test_json_lines_are_no_document(rows: list[dict[str, Any]]) -> None:
    assert not is_document("\n".join(map(json.dumps, rows)).encode())


@pytest.mark.parametrize("text", ["", "what\never", '{"audio": "a.wav", "te\n{"audio": "a.wav"}\n', "[" * 100_000])
def test_other_files_and_broken_lines_are_no_document(text: str) -> None:
    assert not is_document(text.encode())


@pytest.mark.parametrize("indent", [None, 2])
def test_a_second_list_of_rows_is_reported(indent: int | None) -> None:
    document = {"train": ROWS, "version": [1, 2], "none": [], "test": ROWS[:1], "note": {"a": "}"}}
    *rows, (line, other) = document_rows(json.dumps(document, indent=indent))
    assert [row for _, row in rows] == ROWS
    assert other == "broken line: the rows under 'test' are not read, only those under 'train'; split the file"
    assert line == (1 if indent is None else 17)


def test_a_list_that_breaks_off_yields_the_rows_before_it() -> None:
    text = json.dumps(ROWS, indent=2)[:-12]
    first, broken = document_rows(text)
    assert first == (2, ROWS[0])
    assert str(broken[1]).startswith("broken line: not JSON")
    assert [row for _, row in document_rows('[{"a": 1}, 5]')] == [{"a": 1}, "broken line: a JSON int, not an object"]
