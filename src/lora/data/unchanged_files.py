"""Notice that somebody edits a file while it is read: the result would be of neither version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from lora.records.base import UserError

State = tuple[int, int] | None
Row = TypeVar("Row")


class FileStates:
    """Sizes and times of files before they are read."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._before = {path: _state(path) for path in paths}

    def check(self) -> None:
        """Raise UserError for a file whose size or time is another one now.

        Snakemake compares inputs by what they are when a job ends, so that it would take the new version for the one
        that was read.
        """
        for path, state in self._before.items():
            if _state(path) != state:
                raise UserError(f"{path}: changed while it was read. Run the same command again when nobody edits it.")

    def check_after(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, and the check after the last one: before whoever takes them completes a result."""
        yield from rows
        self.check()


@contextmanager
def unchanged(paths: Iterable[Path]) -> Iterator[None]:
    """Check at the end of the block that nobody has edited the files since its beginning."""
    states = FileStates(paths)
    yield
    states.check()


def _state(path: Path) -> State:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns
