"""Read the result files that `lora.layout` lists, for diagnosis and report alike."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeVar

from pydantic import ValidationError

from lora.layout import ResultFile
from lora.records.base import Fact, ManyRecord, Record, UserError, columns_of, first_fault, validated_as

R = TypeVar("R", bound=Record)
L = TypeVar("L", bound=Record | ManyRecord)
T = TypeVar("T")


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """What reading a result file gave.

    Attributes:
        path: Path relative to the results folder.
        value: The content; None where the file is missing or unreadable.
        problem: "" (none), "missing", "unreadable", or "impossible": the file contains a fact that says why it could
            not be computed (it has a value nevertheless).
        message: The problem in words, "" where there is none.
        code: Cause code of an impossible fact.
    """

    path: str
    value: T | None
    problem: Literal["", "missing", "unreadable", "impossible"] = ""
    message: str = ""
    code: str | None = None

    def readable(self) -> T | None:
        """The content; None where the file is missing. Raises UserError where it is unreadable."""
        if self.problem == "unreadable":
            raise UserError(self.message)
        return self.value


def read_result(results: Path, kind: ResultFile[R], **wildcards: str) -> Loaded[R]:
    """Read the record of a result file. Never raises: a missing or unreadable file is a problem of the answer.

    This is the one reader of diagnosis and report. A missing file is unknown to both. An unreadable one stops the
    verdict, which would call a result missing that was computed (`Loaded.readable`); the report states it.
    """
    relative = kind.path(**wildcards)
    if kind.record is None:
        raise TypeError(f"{relative} contains no record")
    path = results / relative
    if not path.is_file():
        return Loaded(relative, None, "missing", f"{relative} does not exist")
    try:
        value = kind.record.read(path)
    except (UserError, OSError) as error:
        return Loaded(relative, None, "unreadable", str(error))
    if isinstance(value, Fact) and value.status == "impossible":
        return Loaded(relative, value, "impossible", value.message or "no message", value.code)
    return Loaded(relative, value)


def read_rows(results: Path, kind: ResultFile[L], **wildcards: str) -> Loaded[list[L]]:
    """Read the records of a table (`.tsv`), one per row; empty cells are None. Never raises, like `read_result`."""
    relative = kind.path(**wildcards)
    if kind.record is None:
        raise TypeError(f"{relative} contains no records")
    path = results / relative
    if not path.is_file():
        return Loaded(relative, None, "missing", f"{relative} does not exist")
    try:
        return Loaded(relative, _rows(path, kind.record))
    except (UserError, OSError, UnicodeDecodeError, csv.Error) as error:
        return Loaded(relative, None, "unreadable", str(error))


def _rows(path: Path, record: type[L]) -> list[L]:
    columns = columns_of(record)
    rows = []
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        if not set(columns) <= set(reader.fieldnames or ()):
            raise UserError(f"{path}:1: expected the columns {', '.join(columns)}")
        for number, row in enumerate(reader, start=2):
            try:
                rows.append(validated_as(record, {column: row[column] or None for column in columns}))
            except ValidationError as error:
                fault = first_fault(error, "the line")
                raise UserError(f"{path}:{number}: not a {record.__name__} row: {fault}") from None
    return rows
