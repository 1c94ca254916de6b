"""Lock a folder of `work/` for one process at a time, with a kernel lock that ends with its process."""

from __future__ import annotations

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lora.data.existing_files import is_optional_file
from lora.records.base import UserError


@contextmanager
def locked(folder: Path) -> Iterator[int]:
    """Lock `folder` (created if missing) and wait while another process has locked it.

    It waits instead of failing because a job whose workflow was killed continues, and its result can then be reused.

    Yields:
        The lock's file descriptor, for child processes that work here too and may outlive this one.

    Raises:
        UserError: The folder cannot be written, or its lock is not a file.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_optional_file(folder / "lock")  # a pipe would wait for its other end
        file = (folder / "lock").open("w")
    except OSError as error:
        raise UserError(f"work folder {folder} cannot be written: {error.strerror}") from None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"waiting for another process that uses {folder}", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()
