"""Rows of JSON files that are not JSON lines, with the lines on which they start."""

from __future__ import annotations

import json
import time
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


@pytest.mark.parametrize("between", [" ", "", "; ", "\0 "])
@pytest.mark.parametrize("by_id", [False, True])
def test_a_damaged_comma_costs_the_row_before_it(between: str, by_id: bool) -> None:
    rows = [{"audio": f"{name}.wav", "text": name} for name in "abcd"]
    text = json.dumps({row["text"]: row for row in rows} if by_id else rows)
    comma = text.index("}, ", text.index('"b.wav"')) + 1
    found = [row for _, row in document_rows(text[:comma] + between + text[comma + 2 :])]
    assert [row if isinstance(row, str) else row["text"] for row in found if not isinstance(row, str)] == [
        "a",
        "c",
        "d",
    ]
    assert len(found) == 4


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "columns",
    [
        {"audio": {"0": "a.wav", "1": "b.wav"}, "text": {"0": "x", "1": "y"}},
        {"said": {"0": "x", "1": None}, "n": {"0": 1, "1": 2}},
        {"text": {"u1": "x", "u2": "y"}},
        {"id": ["u1", "u2"], "pred": ["x", "y"]},
        {"columns": ["audio", "text"], "index": [0, 1], "data": [["a.wav", "x"], ["b.wav", "y"]]},
    ],
)
def test_values_by_column_are_named_with_what_to_do(columns: dict[str, Any], indent: int | None) -> None:
    """As data frames write them unless they are asked for rows."""
    text = json.dumps(columns, indent=indent)
    assert is_document(text.encode())
    ((line, reason),) = document_rows(text)
    assert line == 1
    assert all(words in reason for words in ("for each column instead of rows", 'orient="records", lines=True'))


@pytest.mark.parametrize(
    "row",
    [
        {"audio": {"path": "a.wav", "bytes": None}, "text": "x"},
        {"source": {"id": 1, "audio_local_path": "a.wav"}, "target": {"id": 1, "text": "x"}},
        {"audio": [0.0, 0.5], "sampling_rate": 8000, "text": "x"},
    ],
)
def test_a_row_with_values_in_its_fields_is_a_row(row: dict[str, Any]) -> None:
    assert list(document_rows(json.dumps(row, indent=1))) == [(1, row)]


@pytest.mark.parametrize("indent", [None, 2])
def test_the_keys_of_an_object_are_ids(indent: int | None) -> None:
    text = json.dumps({"u1": ROWS[0], "u2": {"id": "own", **ROWS[1]}}, indent=indent)
    assert is_document(text.encode())
    assert [row for _, row in document_rows(text)] == [{"id": "u1", **ROWS[0]}, {"id": "own", **ROWS[1]}]


@pytest.mark.parametrize("before", [{"version": "1.0"}, {"info": {"year": 2024, "tags": ["a"]}, "split": "dev"}])
@pytest.mark.parametrize("key", ["data", "utterances"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_of_rows_after_other_fields(before: dict[str, Any], key: str, indent: int | None) -> None:
    text = json.dumps({**before, key: ROWS, "license": "CC0"}, indent=indent)
    assert is_document(text.encode())
    assert [row for _, row in document_rows(text)] == ROWS


def test_a_list_of_rows_that_begins_in_the_first_line() -> None:
    text = '{"version": 1, "rows": [\n' + ",\n".join(map(json.dumps, ROWS)) + "\n]}\n"
    assert is_document(text.encode())
    assert list(document_rows(text)) == [(2, ROWS[0]), (3, ROWS[1])]


@pytest.mark.parametrize("second", [{"version": 1, "data": ROWS[1:]}, {"data": ROWS[1:]}, ROWS[1:], ROWS[1]])
def test_what_follows_an_object_with_a_list_of_rows(second: Any) -> None:
    text = "\n".join(json.dumps(value, indent=1) for value in ({"version": 1, "data": ROWS[:1]}, second))
    assert is_document(text.encode())
    assert [row for _, row in document_rows(text)] == ROWS
    *_, (line, last) = document_rows(json.dumps({"data": ROWS}, indent=1) + "\nrubbish")
    assert (line, "rows from here on are lost" in last) == (13, True)


def test_a_list_within_a_row_is_none_of_rows() -> None:
    rows = [{"id": str(n), "wav": "a.wav", "txt": "x", "results": [{"text": "y"}]} for n in range(2)]
    assert not is_document("\n".join(map(json.dumps, rows)).encode())
    assert [row for _, row in document_rows("\n".join(json.dumps(row, indent=1) for row in rows))] == rows


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


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    ("begin", "between", "end"),
    [
        ("[", ", ", "]"),
        ("[", ",", "]"),
        ("[", ",\n", "]"),
        ('{"data": [', ", ", "]}"),
        ("{", ", ", "}"),
        ("[\n", ", ", "\n]"),
    ],
)
def test_a_broken_row_in_the_line_of_others_costs_itself(begin: str, between: str, end: str, place: int) -> None:
    names = [f'"u{number}": ' if begin == "{" else "" for number in range(4)]
    rows = [f'{name}{{"audio": "{number}.wav", "more": [{{"b": 1}}, {{"c": 2}}]}}' for number, name in enumerate(names)]
    rows[place] = rows[place].replace(' "more"', "?")
    text = begin + between.join(rows) + end
    assert is_document(text.encode())
    found = [row["audio"] if isinstance(row, dict) else row.partition(" not JSON")[0] for _, row in document_rows(text)]
    assert found == ["broken line:" if number == place else f"{number}.wav" for number in range(4)]


@pytest.mark.parametrize("indentation", ["", "\t\t\t"])
def test_the_indentation_of_a_broken_row_may_be_another(indentation: str) -> None:
    rows = ['  {"id": 1}', f'{indentation}?{{"id": 2}}', '  {"id": 3}']
    found = [
        row["id"] if isinstance(row, dict) else line for line, row in document_rows("[\n" + ",\n".join(rows) + "\n]")
    ]
    assert found == [1, 3, 3]


@pytest.mark.parametrize(
    "broken", ['{"audio": "a.wav",', "{", '{"audio": "a.wav", "text": [', '{"meta": {"a": 1, "text": "x']
)
def test_json_lines_whose_first_line_breaks_off_are_no_document(broken: str) -> None:
    for rest in (ROWS[:1], ROWS, 60 * ROWS):
        assert not is_document("\n".join([broken, *map(json.dumps, rest)]).encode())
    assert not is_document("\n".join([broken] * 9 + [*map(json.dumps, 2 * ROWS)]).encode())


def test_many_broken_rows_in_one_line_take_seconds() -> None:
    text = "[" + ", ".join(f'{{"audio": ?{number}, "text": "x"}}' for number in range(50_000)) + "]"
    started = time.process_time()
    assert len(list(document_rows(text))) == 50_000
    assert time.process_time() - started < 20


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("broken", ["x", 5, None, []])
def test_a_first_value_by_id_that_is_no_row_costs_itself(indent: int | None, broken: object) -> None:
    text = json.dumps({"u0": broken, "u1": ROWS[0], "u2": ROWS[1]}, indent=indent)
    assert is_document(text.encode())
    first, *rows = [row for _, row in document_rows(text)]
    assert str(first).endswith("not an object")
    assert [row["id"] for row in rows if isinstance(row, dict)] == ["u1", "u2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[\n{"id": "a"},\n],\n{"id": "b"},\n{"id": "c"}\n]', ["a", "b", "c"]),
        ('[{"id": "a"}, ], {"id": "b"}, {"id": "c"}]', ["a", "b", "c"]),
        ('{\n"a": {"x": 1},\n},\n"b": {"x": 1},\n"c": {"x": 1}\n}', ["a", "b", "c"]),
    ],
)
def test_a_stray_closing_bracket_costs_itself(text: str, expected: list[str]) -> None:
    rows = [row for _, row in document_rows(text)]
    assert [row["id"] for row in rows if isinstance(row, dict)] == expected
    assert len(rows) == 4


@pytest.mark.parametrize("opening", ['{"data": [', '{"version": 1, "rows": ['])
@pytest.mark.parametrize("damaged", ["\x05;9 x", 'v", "text": "x"},'])
def test_a_damaged_first_row_does_not_hide_the_list_of_an_object(opening: str, damaged: str) -> None:
    found = list(document_rows("\n".join([opening, damaged, '{"audio": "a.wav"},', '{"audio": "b.wav"}', "]}"])))
    assert [(line, isinstance(row, dict)) for line, row in found] == [(2, False), (3, True), (4, True)]


@pytest.mark.parametrize(("opening", "damaged", "closing"), [("[", "]\x05;9 x", "]"), ("{", "}\x05;9 x", "}")])
def test_damage_that_begins_with_a_closing_bracket_costs_its_row(opening: str, damaged: str, closing: str) -> None:
    keys = [""] * 3 if opening == "[" else [f'"{name}": ' for name in "abc"]
    rows = [f'{key}{{"audio": "a.wav"}},' for key in keys]
    rows.append(rows.pop().rstrip(","))
    found = list(document_rows("\n".join([opening, rows[0], damaged, *rows[1:], closing])))
    assert [line for line, _ in found] == [2, 3, 4, 5]
    assert [isinstance(row, dict) for _, row in found] == [True, False, True, True]


def test_a_list_that_breaks_off_yields_the_rows_before_it() -> None:
    text = json.dumps(ROWS, indent=2)[:-12]
    first, broken = document_rows(text)
    assert first == (2, ROWS[0])
    assert str(broken[1]).startswith("broken line: not JSON")
    assert [row for _, row in document_rows('[{"a": 1}, 5]')] == [{"a": 1}, "broken line: a JSON int, not an object"]
