"""Whether a path that somebody else wrote names something to read: never an error, whatever the path contains."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterable
from pathlib import Path

from lora.records.base import UserError

# A text expands 5 to 30 times; a file that expands more, beyond the size allowed to any, contains no text.
EXPANSION, EXPANDED = 200, 256 * 2**20


def exists(path: Path | str) -> bool:
    """As `Path.exists`, but False for a name that is too long or contains a null byte."""
    return os.path.exists(path)  # noqa: PTH110 (Path raises OSError)


def is_file(path: Path | str) -> bool:
    """As `Path.is_file`, but False for a name that is too long or contains a null byte."""
    return os.path.isfile(path)  # noqa: PTH113 (Path raises OSError)


def is_readable(path: Path | str) -> bool:
    """Whether a path names a file that this user may read."""
    return is_file(path) and os.access(path, os.R_OK)


def not_hidden(paths: Iterable[Path]) -> list[Path]:
    """The paths in their order, without hidden ones: macOS adds `._a.tsv` to `a.tsv` on the disks of other systems."""
    return sorted(path for path in paths if path.name[0] != ".")


def require_file(path: Path, what: str) -> None:
    """Raise UserError for a pipe, device or socket, which could be read once only, or without end."""
    if exists(path) and not is_file(path) and not path.is_dir():
        raise UserError(f"{path}: not a file but a pipe or device; save the {what} to a file and name it")


def is_optional_file(path: Path) -> bool:
    """Whether an optional file is there. Raises UserError where something else has its name."""
    if is_file(path):
        return True
    if not os.path.lexists(path):
        return False
    what = "a link to a file that is missing" if path.is_symlink() else "not a file"
    raise UserError(f"{path}: {what}; copy the file there, or remove it if it is not needed")


def require_new(folder: Path) -> None:
    """Raise UserError where something has the name of a folder to be created."""
    if folder.exists() or folder.is_symlink():
        raise UserError(f"{folder}: exists already and is not overwritten; name a new folder")


def decompressed(path: Path) -> bytes:
    """The content of a gzip file.

    Raises:
        UserError: where it expands to far more than text does.
        OSError, EOFError, zlib.error: for a damaged file.
    """
    limit = max(EXPANDED, EXPANSION * path.stat().st_size)
    with gzip.open(path) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise UserError(
            f"{path}: its gzip data expands to more than {limit // 2**20} MiB, {EXPANSION} times its size, which no "
            "text does; replace the file"
        )
    return content
