"""Notice that somebody edits a file while it is read: the result would be of neither version."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from lora.records.base import UserError

State = tuple[int, int] | None


@contextmanager
def unchanged(paths: Iterable[Path]) -> Iterator[None]:
    """Raise UserError at the end of the block for a file whose size or time differs from that at its beginning.

    Snakemake compares inputs by what they are when a job ends, so that it would take the new version for the one that
    was read.
    """
    before = {path: _state(path) for path in paths}
    yield
    for path, state in before.items():
        if _state(path) != state:
            raise UserError(f"{path}: changed while it was read. Run the same command again when nobody edits it.")


def _state(path: Path) -> State:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns
