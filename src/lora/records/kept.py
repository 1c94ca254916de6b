"""Contents of files that stay in memory while one process runs several stages.

A stage reads files and writes files. Where one process runs them one after the other, `keeping_contents` lets a stage
take from memory what an earlier one read or wrote, instead of parsing it again. Files are written all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

T = TypeVar("T")

_contents: dict[Path, Any] | None = None


@contextmanager
def keeping_contents() -> Iterator[None]:
    """Keep what is read in this block, until its end; contents must not be changed."""
    global _contents
    _contents = {}
    try:
        yield
    finally:
        _contents = None


def content(path: Path | str, read: Callable[[Path], T]) -> T:
    """The content of a file: the kept one, else what `read` returns. A file has only one type of content."""
    path = Path(path)
    if _contents is None:
        return read(path)
    if path not in _contents:
        _contents[path] = read(path)
    return cast("T", _contents[path])


def is_keeping() -> bool:
    """Whether files that are read now stay in memory."""
    return _contents is not None


def keep(path: Path | str, written: object) -> None:
    """Keep the content of a file that was just written, as reading it would return it."""
    if _contents is not None:
        _contents[Path(path)] = written


def forget(path: Path | str) -> None:
    """Forget the content of a file that is written again."""
    if _contents is not None:
        _contents.pop(Path(path), None)
