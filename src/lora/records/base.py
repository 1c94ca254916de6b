"""What all records share: one way to and from JSON, atomic files, and errors that name file and field."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

R = TypeVar("R", bound="Record")


class UserError(Exception):
    """Something a person can mend: commands print its text (file, line, value, what to do) without a traceback."""


class Record(BaseModel):
    """A frozen record; unknown keys are errors, and non-finite floats become null in JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(self.model_dump_json())  # only here pydantic makes NaN null
        return plain

    @classmethod
    def from_json(cls, value: Any) -> Self:
        return cls.model_validate(value)

    def write(self, path: Path | str) -> None:
        write_text(path, json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, path: Path | str) -> Self:
        """Raises UserError naming file and field when the file does not hold such a record."""
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise UserError(f"{path}: not a {cls.__name__} record: {where}: {first['msg']}") from None


def write_text(path: Path | str, text: str) -> None:
    """Write a whole file or nothing: a temporary file in the same folder, then a rename."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


def write_lines(path: Path | str, records: Iterable[Record]) -> None:
    """Write JSON lines, one record a line, without the keys that are null."""
    write_text(path, "".join(f"{r.model_dump_json(exclude_none=True)}\n" for r in records))


def read_lines(path: Path | str, kind: type[R]) -> Iterator[R]:
    """Read JSON lines that this software wrote; people's own manifests go through `lora.data.manifest`."""
    with Path(path).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                raise UserError(f"{path}:{number}: not a {kind.__name__} record: {error.errors()[0]['msg']}") from None


class Fact(Record):
    """A record that may be impossible to compute for a reason that has a cause code."""

    status: Literal["ok", "impossible"] = "ok"
    code: str | None = None
    message: str | None = None
