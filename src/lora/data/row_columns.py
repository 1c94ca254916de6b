"""Single columns of validated rows as arrays, for tables over a million rows.

Reads the JSON lines that this software wrote with pyarrow, block by block, so that only these columns are in memory.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from lora.data.manifest import read_rows
from lora.records.kept import is_keeping
from lora.records.manifests import Utterance

UNKNOWN = -1
Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RowColumns:
    """Columns of a manifest.

    Attributes:
        durations: seconds, shape (rows,).
        speakers: index into `names` of each row's speaker, `UNKNOWN` where there is none; shape (rows,).
        names: names of the speakers.
        texts: text of each row; empty where texts were not requested.
    """

    durations: Floats
    speakers: Numbers
    names: list[str]
    texts: list[str]


def read_columns(path: Path | str, texts: bool = False) -> RowColumns:
    """Read the columns of a file of validated rows. Raises UserError for a missing file and for an invalid row."""
    if is_keeping():
        return columns_of(read_rows(path))
    import pyarrow

    durations: list[Floats] = []
    speakers: list[Numbers] = []
    all_texts: list[str | None] = []
    number: dict[str, int] = {}
    try:
        for batch in _batches(path, texts):
            # pyarrow's `to_numpy` and its scalars import pandas, which takes longer than reading 100,000 rows.
            durations.append(np.asarray(np.from_dlpack(batch["duration"]), np.float64))  # refuses nulls
            people = batch["speaker_id"].dictionary_encode(null_encoding="encode")
            numbers = [_number(name, number) for name in people.dictionary.to_pylist()]
            speakers.append(np.array(numbers, dtype=np.int64)[np.from_dlpack(people.indices)])
            all_texts += batch["text"].to_pylist() if texts else []
        if None in all_texts:
            raise pyarrow.ArrowInvalid("a row without text")
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, FileNotFoundError):
        # Missing file, no rows, an invalid row, or one longer than a block (inline samples): read row by row, which
        # works or raises an error that names the line.
        return columns_of(read_rows(path))
    return RowColumns(np.concatenate(durations), np.concatenate(speakers), list(number), cast("list[str]", all_texts))


def columns_of(rows: Sequence[Utterance]) -> RowColumns:
    number: dict[str, int] = {}
    return RowColumns(
        np.array([row.duration for row in rows], dtype=np.float64),
        np.array([_number(row.speaker_id, number) for row in rows], dtype=np.int64),
        list(number),
        [row.text for row in rows],
    )


def total_hours(durations: Floats) -> float:
    """Sum of `durations` (seconds) in hours, bit for bit that of `durations.hours` in every version of Python."""
    return math.fsum(durations) / 3600.0


def _number(name: str | None, number: dict[str, int]) -> int:
    """The index of a speaker, a new one at its first occurrence."""
    return UNKNOWN if name is None else number.setdefault(name, len(number))


def _batches(path: Path | str, texts: bool) -> Iterator[Any]:
    import pyarrow
    import pyarrow.json

    fields = [("duration", pyarrow.float64()), ("speaker_id", pyarrow.string())]
    schema = pyarrow.schema(fields + [("text", pyarrow.string())] * texts)
    options = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    with pyarrow.json.open_json(path, parse_options=options) as reader:
        yield from reader
