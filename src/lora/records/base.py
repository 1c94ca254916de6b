"""Base of all records: reading and writing JSON, atomic files, and errors that name file and field."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TextIO, TypeVar, dataclass_transform

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated
from pydantic.fields import FieldInfo

from lora.records.kept import content, forget
from lora.records.temporary_files import temporary_for

R = TypeVar("R", bound="Record")
M = TypeVar("M", bound="ManyRecord")
L = TypeVar("L", bound="Record | ManyRecord")


class UserError(Exception):
    """An error that a person can fix. Commands print its text (file, line, value, what to do) without a traceback."""


class Record(BaseModel):
    """Base of records: frozen; unknown keys are errors; floats that are not finite are null in JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.model_dump_json())  # only this way pydantic writes NaN as null
        return value

    @classmethod
    def from_json(cls, value: Any) -> Self:
        return cls.model_validate(value)

    def write(self, path: Path | str) -> None:
        # As bytes, and not as text that is encoded again.
        with replacing(path) as file:
            file.buffer.writelines(map(_as_python_writes, self._json_parts()))
            file.buffer.write(b"\n")

    def _json_parts(self) -> Iterator[bytes]:
        """The indented JSON of the record, in parts of whole lines."""
        yield self._indented()

    def _indented(self, only: str | None = None) -> bytes:
        """Indented JSON of the record, or of one of its fields."""
        include = None if only is None else {only}
        return self.__pydantic_serializer__.to_json(self, indent=2, include=include)

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Read a file. Raises UserError, which names file and field, when it does not contain such a record."""
        return content(path, cls._parsed)

    @classmethod
    def _parsed(cls, path: Path) -> Self:
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
        except ValidationError as error:
            raise UserError(f"{path}: not a {cls.__name__} record: {first_fault(error, 'the file')}") from None


def first_fault(error: ValidationError, whole: str) -> str:
    """The first value that a record cannot have, and why; `whole` is what the record was read from."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or whole
    return f"{where}: {first['msg']}"


def record_fields(kind: type) -> Mapping[str, FieldInfo] | None:
    """Fields of a record, or of a dataclass inside of records, by name; None for another type."""
    if issubclass(kind, Record):
        return kind.model_fields
    return validated(kind).__pydantic_fields__ if is_dataclass(kind) else None


class ManyRecord:
    """Base of records of which there is one per row: dataclasses with slots (`many_record`).

    They take half of the time and a quarter of the memory of a `Record`. Their values are validated where a file is
    read, not where they are created. `dataclasses.replace` makes a changed copy.
    """

    __slots__: ClassVar[tuple[str, ...]] = ()
    __pydantic_config__ = ConfigDict(extra="forbid")

    def values(self) -> dict[str, Any]:
        """The values by field."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(field,))
def many_record(kind: type[M]) -> type[M]:
    """Decorator of a `ManyRecord`. Only type checkers see that it is frozen: at run time this doubles its creation."""
    return dataclass(slots=True, kw_only=True, unsafe_hash=True)(kind)


class _Schemas(dict[type, TypeAdapter[Any]]):
    """What validates and writes the lines of each kind of record."""

    def __missing__(self, kind: type) -> TypeAdapter[Any]:
        self[kind] = TypeAdapter(kind)
        return self[kind]


_SCHEMAS = _Schemas()


def columns_of(kind: type[L]) -> tuple[str, ...]:
    """Names of the fields, which are the columns of a table of such records."""
    return tuple(kind.model_fields) if issubclass(kind, Record) else tuple(kind.__slots__)


def validated_as(kind: type[L], values: Mapping[str, Any]) -> L:
    """A record with these values by field. Raises pydantic.ValidationError."""
    record: L = _SCHEMAS[kind].validate_python(values)
    return record


# The ends of numbers that pydantic and `json` write differently: 1e-7 and 1e-07, 1e16 and 1e+16, 0.00002 and 2e-05. In
# indented JSON a number ends its line, which a text cannot do without its quote. Two patterns, because `re` finds one
# that begins with fixed characters in a fifth of the time.
_ENDS_OF_OTHER_FLOATS = [re.compile(end, re.MULTILINE) for end in (rb"e-?\d+(?=,?$)", rb"0\.0000\d+(?=,?$)")]


def _as_python_writes(text: bytes) -> bytes:
    """Indented JSON of pydantic with numbers as `json` writes them, without building its values."""
    for ends in _ENDS_OF_OTHER_FLOATS:
        parts = []
        written = 0
        for end in ends.finditer(text):
            start = text.rindex(b" ", 0, end.start()) + 1
            parts += [text[written:start], repr(float(text[start : end.end()])).encode()]
            written = end.end()
        text = b"".join([*parts, text[written:]])
    return text


NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def replacing(path: Path | str) -> Iterator[TextIO]:
    """Write a file atomically: to a temporary file in the same folder, which is renamed after the block.

    A block that fails leaves the old file as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_for(path)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        temporary.replace(path)
        forget(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in NO_ROOM and error.filename is None:
            error.filename = str(path)  # the system names no file where writing fails
        raise


def write_text(path: Path | str, text: str) -> None:
    """Write a file atomically."""
    with replacing(path) as file:
        file.write(text)


def write_lines(path: Path | str, records: Iterable[Record | ManyRecord]) -> None:
    """Write JSON lines, one record per line, without keys that are null."""
    with replacing(path) as file:
        file.buffer.writelines(map(json_line, records))


def json_line(record: Record | ManyRecord) -> bytes:
    """A record as a line of a file, without keys that are null."""
    return _SCHEMAS[type(record)].serializer.to_json(record, exclude_none=True) + b"\n"


def read_lines(path: Path | str, kind: type[L]) -> Iterator[L]:
    """Read JSON lines that this software wrote (`lora.data.manifest` reads manifests of users)."""
    validator = _SCHEMAS[kind].validator
    with Path(path).open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield validator.validate_json(line)
            except ValidationError as error:
                fault = first_fault(error, "the line")
                raise UserError(f"{path}:{number}: not a {kind.__name__} record: {fault}") from None


class Fact(Record):
    """Base of records that may be impossible to compute for a reason that has a cause code."""

    status: Literal["ok", "impossible"] = Field(
        default="ok", description="`impossible`: the fact could not be computed; the other keys have what is known."
    )
    code: str | None = Field(default=None, description="Cause code of an impossible fact (docs/causes.md).")
    message: str | None = Field(default=None, description="Why the fact is impossible.")
