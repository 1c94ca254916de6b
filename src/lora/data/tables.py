"""Tab-separated tables: a header line, one line a row, blank cells for what is not known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from lora.records.base import Record, UserError, write_text

R = TypeVar("R", bound=Record)


def write_table(path: Path | str, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Blanks, tabs and line ends inside a cell become one blank, so that a line stays a row for every
    reader.
    """
    lines = ["\t".join(columns)]
    lines += ["\t".join(_cell(row.get(column)) for column in columns) for row in rows]
    write_text(path, "\n".join(lines) + "\n")


def read_table(path: Path | str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a table this software wrote; raises UserError when the columns are others."""
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    if lines[0].split("\t") != list(columns):
        raise UserError(f"{path}:1: expected the columns {', '.join(columns)}")
    return [dict(zip(columns, line.split("\t"), strict=True)) for line in lines[1:] if line]


def read_records(path: Path | str, kind: type[R]) -> list[R]:
    """Rows of a table whose columns are the fields of a record; blank cells are null."""
    rows = read_table(path, tuple(kind.model_fields))
    return [kind.from_json({name: cell or None for name, cell in row.items()}) for row in rows]


def _cell(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())
