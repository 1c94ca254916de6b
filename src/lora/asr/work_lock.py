"""One process at a time in a folder of `work/`: a kernel lock, which a killed process cannot leave behind."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lora.records.base import UserError


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Hold the lock of `folder` (made if missing), waiting while another process holds it.

    It waits rather than refuses: a job whose workflow was killed goes on, and what it finishes need not be done again.
    Gives the lock's descriptor, for processes that work here too and may outlive this one.
    Raises UserError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("w")
    except OSError as error:
        raise UserError(f"work folder {folder}: cannot be written: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that works in {folder}", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
