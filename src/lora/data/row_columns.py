"""Columns of canonical rows without the rows: what tables of a million rows need, at the speed of a bare reader.

Reads: JSON lines that this software wrote, a block at a time, so that only the columns are held in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from lora.data.manifest import read_rows
from lora.records.manifests import Utterance

UNKNOWN = -1
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowColumns:
    """`durations` in seconds and `speakers` as positions in `names` (-1: unknown), both of shape (rows,).

    `texts` has a text a row, or none at all where nobody asked for them.
    """

    durations: Floats
    speakers: Numbers
    names: list[str]
    texts: list[str]


def read_columns(path: Path | str, texts: bool = False) -> RowColumns:
    """Raises UserError for a missing file, and naming the line of what is no canonical row."""
    import pyarrow

    durations: list[Floats] = []
    speakers: list[Numbers] = []
    read: list[str | None] = []
    number: dict[str, int] = {}
    try:
        for batch in _batches(path, texts):
            # Not `to_numpy` and no scalars of pyarrow: they import pandas, which takes longer than 100,000 rows.
            durations.append(np.asarray(np.from_dlpack(batch["duration"]), np.float64))  # refuses nulls
            people = batch["speaker_id"].dictionary_encode(null_encoding="encode")
            numbers = [_number(name, number) for name in people.dictionary.to_pylist()]
            speakers.append(np.array(numbers, dtype=np.int64)[np.from_dlpack(people.indices)])
            read += batch["text"].to_pylist() if texts else []
        if None in read:
            raise pyarrow.ArrowInvalid("a row without text")
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, FileNotFoundError):
        # No such file, no rows, a broken row, or one longer than a block (inline samples): row by row it is told which.
        return columns_of(read_rows(path))
    return RowColumns(np.concatenate(durations), np.concatenate(speakers), list(number), cast("list[str]", read))


def columns_of(rows: Sequence[Utterance]) -> RowColumns:
    number: dict[str, int] = {}
    return RowColumns(
        np.array([row.duration for row in rows], dtype=np.float64),
        np.array([_number(row.speaker_id, number) for row in rows], dtype=np.int64),
        list(number),
        [row.text for row in rows],
    )


def total_hours(durations: Floats) -> float:
    """Added one by one in the order of rows, as `durations.hours` adds: the same bits."""
    return float(np.cumsum(durations)[-1]) / 3600.0 if len(durations) else 0.0


def _number(name: str | None, number: dict[str, int]) -> int:
    """The number of a speaker, a new one at its first sight."""
    return UNKNOWN if name is None else number.setdefault(name, len(number))


def _batches(path: Path | str, texts: bool) -> Iterator[Any]:
    import pyarrow
    import pyarrow.json

    fields = [("duration", pyarrow.float64()), ("speaker_id", pyarrow.string())]
    schema = pyarrow.schema(fields + [("text", pyarrow.string())] * texts)
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    with pyarrow.json.open_json(path, parse_options=options) as reader:
        yield from reader
