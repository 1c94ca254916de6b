"""Rows of Arrow and Parquet data as Python values, checked first: a damaged value costs its row.

Only columns whose values a manifest can have become values. Numbers of databases (decimals) become numbers, and times
(durations, times of day) a text in seconds; dates, lists, structures and the like are left out, because one that Python
cannot represent (the year 40,000, an unknown time zone) would cost all rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any

import numpy as np

PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def readable_columns(schema: Any, fields: Collection[str], audio: str | None = None) -> list[str]:
    """Names of the columns that `row_values` can read.

    Args:
        schema: of the table.
        fields: names of columns that are fields of a row: bytes in them are text, as older writers of Parquet store it.
        audio: the column of the recordings, which may have any type.
    """
    return [
        one.name
        for one in schema
        if one.name == audio or _is_plain(one.type) or (one.name in fields and _is_bytes(one.type))
    ]


def row_values(batch: Any, audio: str | None = None) -> Iterator[dict[str, Any] | str]:
    """Rows of a batch; of a row with a damaged value (text that is not UTF-8, lengths beyond the data) the reason.

    Args:
        batch: columns that `readable_columns` has named.
        audio: the column of the recordings, whose values stay as they are.
    """
    import pyarrow

    try:
        batch.validate(full=True)
        columns = {name: _values(batch[name], name == audio) for name in batch.schema.names}
    except (pyarrow.ArrowInvalid, UnicodeDecodeError):
        for number in range(batch.num_rows):
            yield _row(batch.slice(number, 1), audio)
    else:
        for number in range(batch.num_rows):
            yield {name: values[number] for name, values in columns.items()}


def _row(batch: Any, audio: str | None) -> dict[str, Any] | str:
    """The only row of a batch, or why it is broken."""
    import pyarrow

    row: dict[str, Any] = {}
    for name in batch.schema.names:
        try:
            batch[name].validate(full=True)
            row[name] = _values(batch[name], name == audio)[0]
        except (pyarrow.ArrowInvalid, UnicodeDecodeError) as error:
            reason = " ".join(str(error).split())
            is_text = isinstance(error, UnicodeDecodeError) or "UTF8" in reason
            return f"broken row: column {name}: {'not UTF-8' if is_text else reason}"
    return row


def _values(column: Any, is_audio: bool) -> list[Any]:
    import pyarrow

    kind = _value_type(column.type)
    if is_audio or pyarrow.types.is_null(kind):
        values: list[Any] = column.to_pylist()
        return values
    if pyarrow.types.is_duration(kind) or pyarrow.types.is_time(kind):
        whole = pyarrow.int32() if pyarrow.types.is_time32(kind) else pyarrow.int64()
        numbers = column.cast(kind).cast(whole).to_pylist()
        return [None if number is None else f"{number / PER_SECOND[kind.unit]} s" for number in numbers]
    return [_plain(value) for value in column.to_pylist()]


def _plain(value: Any) -> Any:
    """A number or text as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, np.float16):  # as pyarrow 20 gives half floats
        return float(value)
    return value.decode("utf-8") if isinstance(value, bytes) else value


def _is_plain(kind: Any) -> bool:
    from pyarrow import types

    kind = _value_type(kind)
    tests = (
        types.is_null,
        types.is_boolean,
        types.is_integer,
        types.is_floating,
        types.is_decimal,
        types.is_string,
        types.is_large_string,
        types.is_string_view,
        types.is_duration,
        types.is_time,
    )
    return any(test(kind) for test in tests)


def _is_bytes(kind: Any) -> bool:
    from pyarrow import types

    kind = _value_type(kind)
    tests = (types.is_binary, types.is_large_binary, types.is_binary_view, types.is_fixed_size_binary)
    return any(test(kind) for test in tests)


def _value_type(kind: Any) -> Any:
    """The type of the values, also of a column that stores each of them once."""
    from pyarrow import types

    return kind.value_type if types.is_dictionary(kind) or types.is_run_end_encoded(kind) else kind
