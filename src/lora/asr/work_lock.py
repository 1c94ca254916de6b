"""One process at a time in a folder of `work/`: a kernel lock, which a killed process cannot leave behind."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lora.records import UserError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` (made if missing). Raises UserError naming it while another process holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{folder}: another process works on the same; wait until it ends") from None
        yield
