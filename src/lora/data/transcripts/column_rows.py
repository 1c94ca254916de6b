"""Rows of transcripts with named columns: JSON lines, one JSON list or object, CSV and TSV with any separator."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any

from lora.data.column_names import folded_name
from lora.data.json_lines import HALF_A_CHARACTER, json_row, writable
from lora.data.json_rows import REST_IS_LOST, document_rows, is_document
from lora.data.manifest_lines import ROWS_IN_QUOTES, contains_rows, header_problem, separator_in, unquoted
from lora.data.transcripts.columns import FILES, HYPOTHESES, IDS, REFERENCES
from lora.records.base import UserError

LEAST_TEXTS = 2
COLUMN_NAMES = frozenset(chain(IDS, FILES, HYPOTHESES, REFERENCES))
EXAMINED = 100  # lines that decide whether a file is JSON lines or one JSON value


def read_rows(path: Path, lines: Iterable[tuple[int, str]], kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of the (numbered) lines of a jsonl, csv or tsv file, with their line numbers.

    Raises UserError for the first broken line, because no transcript may be left out.
    """
    lines = iter(lines)
    if kind == "jsonl":
        yield from _json_rows(path, lines)
    else:
        yield from _table_rows(path, ((number, line) for number, line in lines if line.strip()), kind)


def _json_rows(path: Path, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows with their line numbers; those of one list or object are counted, because they may share a line."""
    first = list(islice(lines, EXAMINED))
    lines = chain(first, lines)
    is_one = is_document("\n".join(line for _, line in first).encode())
    if is_one:
        parsed = document_rows("\n".join(line for _, line in lines))
        rows: Iterator[tuple[int, dict[str, Any] | str]] = (
            (number, row if writable(row) else HALF_A_CHARACTER) for number, row in parsed
        )
    else:
        rows = ((number, json_row(line)) for number, line in lines if line.strip())
    start = list(islice(rows, 2))
    if len(start) == 1 and isinstance(only := start[0][1], dict) and has_texts_by_id(only):
        yield from ((start[0][0], {"id": id, "text": text}) for id, text in only.items())
        return
    rows = chain(start, rows)
    for place, (number, row) in enumerate(rows, start=1):
        if isinstance(row, str):
            raise UserError(f"{path}:{number}: {row.removesuffix(REST_IS_LOST)}")
        yield place if is_one else number, row


def has_texts_by_id(row: Mapping[str, Any]) -> bool:
    """Whether the only row of a file is `{"u1": "so it is", "u2": ...}`: texts under names that no column has."""
    texts = all(isinstance(text, str) for text in row.values())
    return texts and len(row) >= LEAST_TEXTS and not any(folded_name(name) in COLUMN_NAMES for name in row)


def _table_rows(path: Path, lines: Iterator[tuple[int, str]], kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Quotes have no meaning inside a TSV cell, so that an unbalanced quote cannot swallow the rows after it."""
    numbers: list[int] = []

    def counted() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield line + "\n"

    lines = iter(lines)
    first_line = next(lines, None)
    if first_line is None:
        return
    separator = separator_in(first_line[1], "\t" if kind == "tsv" else ",")
    lines = chain([first_line], lines)
    tabs = separator == "\t"
    spaced = f"{separator} " in first_line[1]  # "id, hypothesis"
    reader = (
        (_tsv_cells(line) for line in counted())
        if tabs
        else csv.reader(counted(), strict=True, delimiter=separator, skipinitialspace=spaced)
    )
    header: list[str] | None = None
    while True:
        first = len(numbers)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}:{numbers[first]}: broken line: {error}") from None
        if header is None:
            header = [cell.strip() for cell in cells]
            if (problem := header_problem(header)) is not None:
                raise UserError(f"{path}:{numbers[first]}: {problem}")
        elif len(cells) != len(header):
            problem = f"{len(cells)} columns where the header has {len(header)}"
            raise UserError(f"{path}:{numbers[first]}: broken line: {problem}")
        elif contains_rows(header, cells, separator):
            raise UserError(f"{path}:{numbers[first]}: broken line: {ROWS_IN_QUOTES}")
        else:
            yield numbers[first], dict(zip(header, cells, strict=True))


def _tsv_cells(line: str) -> list[str]:
    return [unquoted(cell) for cell in line.removesuffix("\n").split("\t")]
