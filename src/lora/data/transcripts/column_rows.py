"""Rows of transcripts with named columns: JSON lines, one JSON list, CSV and TSV with any separator."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from lora.data.json_lines import HALF_A_CHARACTER, json_row, writable
from lora.data.json_rows import DECODER
from lora.data.manifest_lines import ROWS_IN_QUOTES, contains_rows, header_problem, separator_in
from lora.records.base import UserError


def read_rows(path: Path, lines: Iterable[tuple[int, str]], kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows of the (numbered) lines of a jsonl, csv or tsv file, with their line numbers.

    Raises UserError for the first broken line, because no transcript may be left out.
    """
    lines = ((number, line) for number, line in lines if line.strip())
    if kind != "jsonl":
        yield from _table_rows(path, lines, kind)
        return
    for number, line in lines:
        if number == 1 and line.lstrip().startswith("["):
            yield from _json_list(path, "\n".join([line, *(rest for _, rest in lines)]))
            return
        row = json_row(line)
        if isinstance(row, str):
            raise UserError(f"{path}:{number}: {row}")
        yield number, row


def _json_list(path: Path, text: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The entries of a file that is one JSON list, counted from 1."""
    try:
        entries = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: begins like a JSON list but is not one: {error}") from None
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise UserError(f"{path}:{number}: entry {number} of the list is a {type(entry).__name__}, not an object")
        if not writable(entry):
            raise UserError(f"{path}:{number}: {HALF_A_CHARACTER}")
        yield number, entry


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
    reader = (
        (_tsv_cells(line) for line in counted()) if tabs else csv.reader(counted(), strict=True, delimiter=separator)
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
    cells = line.removesuffix("\n").split("\t")
    return [c[1:-1].replace('""', '"') if len(c) > 1 and c[0] == c[-1] == '"' else c for c in cells]
