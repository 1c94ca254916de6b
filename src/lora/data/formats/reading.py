"""What every format makes of a manifest: rows with their place, and the folder their audio paths start from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lora.data.row_fields import Columns
from lora.data.source import Source
from lora.records.base import UserError


class Entry(NamedTuple):
    """One row of a manifest: its columns, or the reason why it is broken.

    `line` counts from 1: the line of the file, or the row of a data set that has no lines. `place` is the file (and its
    line) to look at, where that is not the manifest itself. `id` is what a broken row is called, where that is known.
    `places` are those of single fields, where these stand in other files than `place`.
    """

    line: int
    row: dict[str, Any] | str
    place: str | None = None
    id: str | None = None
    places: Mapping[str, str] | None = None

    def place_of(self, field: str | None) -> str | None:
        """Where to look when this field is at fault."""
        return (self.places or {}).get(field or "", self.place)


@dataclass(frozen=True)
class Reading:
    """Rows in order, the folder that relative audio paths start from, and which columns hold what.

    `channel` (from 0) is heard of every file, null where rows choose themselves. `table` says that rows have columns
    that somebody chose; the rows of other formats are made here.
    """

    format: str
    folder: Path
    entries: list[Entry]
    columns: Columns
    channel: int | None = None
    table: bool = True


def refuse(source: Source, *settings: str) -> None:
    """Raises UserError for a setting that means nothing to the source's format, rather than passing it over."""
    for name in settings:
        if getattr(source, name):
            raise UserError(
                f"{source.path}: `{name}` means nothing for a manifest of format {source.format}; remove it"
            )


def starting_folder(folder: Path, paths: Iterable[str]) -> Path:
    """Where relative audio paths start that were written for the working folder of another tool.

    The manifest's own folder, one above it, or the working folder: the first in which one of the first paths exists.
    """
    relative = [path for path in paths if not Path(path).is_absolute()][:20]
    for start in (folder, *folder.parents, Path()):
        if any((start / path).exists() for path in relative):
            return start
    return folder
