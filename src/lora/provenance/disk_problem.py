"""Disks that are full or read-only, and folders in the place of files: what to do, whatever library met them."""

from __future__ import annotations

import errno
from pathlib import Path

from lora.records.temporary_files import SUFFIX

FULL = (errno.ENOSPC, errno.EDQUOT)
PROTECTED = (errno.EACCES, errno.EPERM, errno.EROFS)
# How libraries word it that raise errors of their own.
WORDS = ("No space left on device", "os error 28", "PytorchStreamWriter failed writing")
AGAIN = "run the same command again; finished work is kept"


def disk_problem(error: BaseException | None) -> str | None:
    """What is wrong with the disk, and what to do; None for an error that has no such cause."""
    while error is not None:
        number = getattr(error, "errno", None)
        place = _place(getattr(error, "filename", None))
        if number in FULL or any(words in str(error) for words in WORDS):
            return f"{place}: no space is left on the disk. Free some, and {AGAIN}."
        if number == errno.EFBIG:
            return (
                f"{place}: larger than files may be here (`ulimit -f`, or a limit of the disk). Raise it, and {AGAIN}."
            )
        if isinstance(error, OSError) and number in PROTECTED:
            return f"{place}: {error.strerror}. Make it accessible for this user, and {AGAIN}."
        if isinstance(error, IsADirectoryError):
            place = error.filename2 or place  # of a temporary file that is renamed
            return f"{place}: a folder is where this file has to be. Move it elsewhere, and {AGAIN}."
        error = error.__cause__ or error.__context__
    return None


def why_absent(path: Path | str) -> str:
    """Why there is no file for this user: it is missing, or in a folder that this user may not look into."""
    try:
        Path(path).stat()
    except PermissionError:
        return "permission denied for a folder of this path"
    except (OSError, ValueError):  # the latter of a name with a null byte
        return "no such file or folder"
    return "not a file"


def _place(name: object) -> str:
    """The file, or the folder in which a temporary file could not be created."""
    if name is None:
        return "the disk"
    path = Path(str(name))
    return str(path.parent if path.name.startswith(".") and path.name.endswith(SUFFIX) else path)
