"""Rows of Arrow and Parquet data as Python values, checked first: a damaged value costs its row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def row_values(batch: Any) -> Iterator[dict[str, Any] | str]:
    """Rows of a batch; of a row with a damaged value (text that is not UTF-8, lengths beyond the data) the reason."""
    import pyarrow

    try:
        batch.validate(full=True)
    except pyarrow.ArrowInvalid:
        for number in range(batch.num_rows):
            yield _value(batch.slice(number, 1))
    else:
        yield from batch.to_pylist()


def _value(row: Any) -> dict[str, Any] | str:
    """The only row of a batch, or why it is broken."""
    import pyarrow

    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            column.validate(full=True)
        except pyarrow.ArrowInvalid as error:
            reason = " ".join(str(error).split())
            return f"broken row: column {name}: {'not UTF-8' if 'UTF8' in reason else reason}"
    value: dict[str, Any] = row.to_pylist()[0]
    return value
