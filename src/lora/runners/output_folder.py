"""The output folder of quick mode, which must be its own and never that of a study or a person.

Writes: a marker file, which allows the next run to replace the results of this one. It is locked while a run uses the
folder: another one would remove results that this one is still to read, or read those of the other. A run that fails
leaves the results of the last one as they were.
"""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from lora.records.base import UserError

MARKER = ".made-by-quick"
MARKER_TEXT = "Written by `python -m lora.runners.quick`; the next run with this --output-dir replaces these results.\n"
EARLIER, REPLACED = ".earlier", ".replaced"
# Files that a run may write. Facts of an earlier run must not enter the new verdict; other files are not ours to
# remove.
WRITTEN = (
    "config.json",
    "durations",
    "gate.json",
    "integrity",
    "leakage",
    "manifests",
    "max_seconds.json",
    "mismatches",
    "paired",
    "parity",
    "plots",
    "reachable",
    "report",
    "splits",
    "transcripts",
    "verdict.json",
    "wer",
)


@contextmanager
def prepared(folder: Path, inputs: Iterable[Path]) -> Iterator[None]:
    """Create the folder with its marker, and keep other runs out.

    Raises UserError if the folder has other files, contains one of `inputs`, is in use, or cannot be written.
    """
    try:
        _refuse(folder, inputs)
        folder.mkdir(parents=True, exist_ok=True)
        marker = (folder / MARKER).open("a", encoding="utf-8")
    except OSError as error:
        raise UserError(f"--output-dir {folder}: cannot be written: {error.strerror}") from None
    with marker:
        _lock(marker, folder)
        try:
            marker.truncate(0)
            marker.write(MARKER_TEXT)
            marker.flush()
        except OSError as error:
            raise UserError(f"--output-dir {folder}: cannot be written: {error.strerror}") from None
        yield


@contextmanager
def replacing(folder: Path) -> Iterator[None]:
    """Set the results of an earlier run aside until those of this one are complete; after an error restore them.

    Raises UserError if the folder cannot be written.
    """
    earlier, replaced = folder / EARLIER, folder / REPLACED
    try:
        shutil.rmtree(replaced, ignore_errors=True)
        if earlier.is_dir():  # a run was killed: these are the last complete results
            _remove_results(folder)
        else:
            earlier.mkdir()
            for path in _results(folder):
                path.rename(earlier / path.name)
    except OSError as error:
        raise UserError(f"--output-dir {folder}: cannot be written: {error.strerror}") from None
    try:
        yield
    except BaseException:
        _remove_results(folder)
        for path in _results(earlier):
            path.rename(folder / path.name)
        earlier.rmdir()
        raise
    earlier.rename(replaced)  # at once: what is left of `earlier` would count as complete
    shutil.rmtree(replaced, ignore_errors=True)


def _lock(marker: TextIO, folder: Path) -> None:
    """Lock the marker for this process. A file system without locks lets every run in."""
    try:
        fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"--output-dir {folder}: another run is writing there; wait until it ends, or name another folder"
        ) from None
    except OSError:
        pass


def _results(folder: Path) -> list[Path]:
    paths = [path for name in WRITTEN for path in (folder / name, folder / f"{name}.run.json")]
    return [path for path in paths if path.exists() or path.is_symlink()]


def _remove_results(folder: Path) -> None:
    for path in _results(folder):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _refuse(folder: Path, inputs: Iterable[Path]) -> None:
    place = folder.resolve()
    for path in inputs:
        if path.resolve().is_relative_to(place):
            raise UserError(f"--output-dir {folder}: {path} is inside it; name a folder without input files")
    if place.name == "results" and (place.parent / "config.yaml").is_file():
        raise UserError(f"--output-dir {folder}: it belongs to the study of config.yaml; name another folder")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--output-dir {folder}: it is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise UserError(
            f"--output-dir {folder}: it contains files that quick did not write; name a new or an empty folder"
        )
