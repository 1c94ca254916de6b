"""Tab-separated tables: a header, one line per row, empty cells for missing values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lora.records.base import UserError, replacing
from lora.terminal import visible

ID = "id"  # column of ids


def write_table(path: Path | str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table.

    White space inside a cell (tabs and line ends too) becomes a single space, so that a line is a row for every reader,
    and control characters become escapes, so that a terminal shows them. An id that this would change is written as a
    JSON string instead, because `u 1` and `u  1` are two rows.

    Args:
        path: file to write.
        columns: names and order of the columns; other keys of `rows` are left out.
        rows: mappings by column name. Values are written as `str`, None and missing keys as empty cells.
    """
    with replacing(path) as file:
        file.write("\t".join(columns) + "\n")
        file.writelines(table_line(columns, row) for row in rows)


def table_line(columns: Sequence[str], row: Mapping[Any, object]) -> str:
    """A row of a table as a line of its file."""
    cells = (_id_cell(row.get(column)) if column == ID else _cell(row.get(column)) for column in columns)
    return "\t".join("" if cell is None or cell != cell else str(cell) for cell in cells) + "\n"


def read_cells(path: Path | str, columns: Sequence[str]) -> Iterator[list[str]]:
    """The rows of a table that this software wrote, one after the other, every cell as text.

    Raises:
        UserError: for a missing file, one that is no text, other columns, and a row with more or fewer cells.
    """
    ids = [place for place, column in enumerate(columns) if column == ID]
    try:
        with Path(path).open(encoding="utf-8", newline="\n") as lines:
            _require_columns(path, next(lines, "").removesuffix("\n").split("\t"), columns)
            for number, line in enumerate(lines, start=2):
                cells = line.removesuffix("\n").split("\t")
                if len(cells) != len(columns):
                    raise UserError(f"{path}:{number}: {len(cells)} cells, not {len(columns)}; write the table again")
                for place in ids:
                    cells[place] = _id(cells[place])
                yield cells
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a table that this software wrote; write the table again") from None


def _require_columns(path: Path | str, found: Sequence[str], columns: Sequence[str]) -> None:
    if list(found) != list(columns):
        raise UserError(f"{path}:1: the header is not the columns {', '.join(columns)}; write the table again")


def _id_cell(value: object) -> object:
    if isinstance(value, str) and (value != _cell(value) or value.startswith('"')):
        return visible(json.dumps(value, ensure_ascii=False))
    return value


def _id(cell: str) -> str:
    try:
        return str(json.loads(cell)) if cell.startswith('"') else cell
    except ValueError:
        return cell


def _cell(value: object) -> object:
    return (
        visible(" ".join(value.split())) if isinstance(value, str) else value
    )  # other values have no white space to collapse
