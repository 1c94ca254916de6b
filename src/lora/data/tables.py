"""Tab-separated tables: a header, one line per row, empty cells for missing values."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lora.records.base import Record, UserError, write_text

if TYPE_CHECKING:
    import pandas

R = TypeVar("R", bound=Record)
ID = "id"  # column of ids


def write_table(
    path: Path | str, columns: Sequence[str], rows: Iterable[Mapping[str, object]] | pandas.DataFrame
) -> None:
    """Write a table.

    White space inside a cell (tabs and line ends too) becomes a single space, so that a line is a row for every reader.
    An id that this would change is written as a JSON string instead, because `u 1` and `u  1` are two rows.

    Args:
        path: file to write.
        columns: names and order of the columns; other keys of `rows` are left out.
        rows: mappings by column name, or a data frame. Values are written as `str`, None and missing keys as empty
            cells. Numbers of a data frame need the dtype object, in which pandas leaves them as they are.
    """
    import pandas

    records: Iterable[Mapping[Any, object]] = rows.to_dict("records") if isinstance(rows, pandas.DataFrame) else rows
    cells: dict[str, list[object]] = {column: [] for column in columns}
    for row in records:
        for column, values in cells.items():
            values.append(_id_cell(row.get(column)) if column == ID else _cell(row.get(column)))
    table = pandas.DataFrame(cells, dtype=object)
    text: str = table.to_csv(sep="\t", index=False, lineterminator="\n", quoting=csv.QUOTE_NONE)
    write_text(path, text)


def read_table(path: Path | str, columns: Sequence[str]) -> pandas.DataFrame:
    """A table that this software wrote, every cell as text.

    Raises:
        UserError: for a missing file, and where the table has other columns.
    """
    import pandas

    try:
        table = pandas.read_csv(path, sep="\t", dtype=object, na_filter=False, quoting=csv.QUOTE_NONE, index_col=False)
    except FileNotFoundError:
        raise UserError(f"{path}: no such table") from None
    except pandas.errors.EmptyDataError:
        table = pandas.DataFrame()
    if list(table.columns) != list(columns):
        raise UserError(f"{path}:1: the header is not the columns {', '.join(columns)}; write the table again")
    return table


def concatenate_tables(paths: Iterable[Path | str], columns: Sequence[str]) -> pandas.DataFrame:
    """The rows of several tables with the same columns, in the order of `paths`."""
    import pandas

    tables = [read_table(path, columns) for path in paths]
    return pandas.concat(tables, ignore_index=True) if tables else pandas.DataFrame(columns=list(columns))


def read_records(path: Path | str, kind: type[R]) -> list[R]:
    """Rows of a table whose columns are the fields of a record; empty cells are None."""
    rows = read_table(path, tuple(kind.model_fields)).to_dict("records")
    return [
        kind.from_json({str(name): (_id(cell) if name == ID else cell) or None for name, cell in row.items()})
        for row in rows
    ]


def _id_cell(value: object) -> object:
    if isinstance(value, str) and (value != _cell(value) or value.startswith('"')):
        return json.dumps(value, ensure_ascii=False)
    return value


def _id(cell: str) -> str:
    try:
        return str(json.loads(cell)) if cell.startswith('"') else cell
    except ValueError:
        return cell


def _cell(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value  # other values have no white space to collapse
