"""Notice results that are not as they were computed: edited, cut off by a full disk, damaged, or another version's.

Snakemake takes whatever is in the place of a result for the result, and computes everything after it from that.
"""

from __future__ import annotations

import json
import os
import shutil
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from lora.provenance.hashes import sampled_hash
from lora.records.base import UserError
from lora.records.provenance import RunRecord

ENDING = ".run.json"
ASIDE = Path("work/changed")


def set_aside_changed(results: Path, aside: Path = ASIDE, *, pretend: bool = False) -> list[Path]:
    """Move results that differ from what their run records state to a folder, so that they are computed again.

    Where the changed file is inside a folder that was computed, the first file of the same execution is moved as well,
    because Snakemake does not look into folders. Paths are relative to the study folder, the working directory. With
    `pretend`, as in a dry run, nothing is moved.

    Returns:
        The changed files, where they were.
    """
    hashes: dict[Path, set[str]] = defaultdict(set)
    first: dict[Path, Path] = {}  # output of the execution that wrote a file inside a folder
    for path in _run_records(results):
        if path.is_dir():  # nothing shows whether its result is as it was computed
            hashes[path] = set()
            name = path.name.removesuffix(ENDING)
            first[path] = path.with_name(name if os.path.lexists(path.with_name(name)) else f"{name}.json")
            continue
        try:
            record = RunRecord.read(path)
        except (UserError, OSError):
            continue  # nothing is known of its results
        for name, written in record.contents.items():
            result = Path(name)
            # A record in a copy of the results describes the originals.
            if ".." in result.parts or not result.is_relative_to(path.parent):
                continue
            hashes[result].add(written)  # of two commands, where a run was of another kind before
            if name not in record.outputs:
                first[result] = Path(record.outputs[0])
    changed = [path for path, written in hashes.items() if os.path.lexists(path) and not _is_as_written(path, written)]
    for path in () if pretend else changed:
        _move(path, aside)
        if path in first:
            _move(first[path], aside)
    return changed


def _is_as_written(path: Path, written: set[str]) -> bool:
    """False also for a folder, a pipe or a link to nothing in the place of the file."""
    return path.is_file() and sampled_hash(path) in written


def set_aside_unrecorded(metadata: Path, results: Path, aside: Path = ASIDE, *, pretend: bool = False) -> list[Path]:
    """Move results of which Snakemake's record is damaged, as by a power cut: it would keep them whatever the settings.

    Args:
        metadata: Folder of Snakemake's records.
        results: Results folder of the study.
        aside: Folder to move them to.
        pretend: Move nothing, as in a dry run.

    Returns:
        The results, where they were. Folders stay, because people save files in them.

    Raises:
        UserError: With `pretend`, where Snakemake cannot read a record, and so cannot list its jobs.
    """
    unrecorded = []
    for folder, folders, names in os.walk(metadata):
        in_place = {name for name in folders if not name.startswith("@")}  # `@` begins a part of a long name
        folders[:] = [name for name in folders if name not in in_place]
        for record in (Path(folder, name) for name in sorted({*names, *in_place})):
            if not record.is_dir() and _is_record(record):
                continue
            if pretend and record.is_dir():
                raise UserError(
                    f"{record}: a folder is where Snakemake keeps a file. Run without --dry-run, which moves it "
                    f"to {aside}."
                )
            path = _recorded_path(record.relative_to(metadata))
            if path is not None and path.is_relative_to(results) and ".." not in path.parts and path.is_file():
                unrecorded.append(path)
                if not pretend:
                    _move(path, aside)
            if pretend:
                continue
            if record.is_dir():
                _move(record, aside)
            else:
                record.unlink()
    return unrecorded


def _is_record(path: Path) -> bool:
    """Whether Snakemake can read a record. Of other JSON it reports a traceback, or that there is no record."""
    try:
        record = json.loads(path.read_bytes())
    except (ValueError, FileNotFoundError):  # the latter of a link to nothing
        return False
    return isinstance(record, dict) and isinstance(record.get("rule"), str) and isinstance(record.get("params"), list)


def _recorded_path(record: Path) -> Path | None:
    """The path that a record of Snakemake is named by, in base 64; a long one is split. None for another file."""
    try:
        return Path(urlsafe_b64decode("".join(part.removeprefix("@") for part in record.parts)).decode())
    except ValueError:
        return None


def _run_records(results: Path) -> Iterator[Path]:
    """Run records in a results folder, or what is in their place, also in links to folders on another disk.

    Folders with a record next to them are results, which may have many files.
    """
    seen = set()
    for folder, folders, names in os.walk(results, followlinks=True):
        place = os.path.realpath(folder)
        if place in seen:  # a link to a folder around it
            folders.clear()
            continue
        seen.add(place)
        records = {name for name in (*names, *folders) if name.endswith(ENDING)}
        folders[:] = sorted(name for name in folders if name not in records and f"{name}{ENDING}" not in records)
        yield from (Path(folder, name) for name in sorted(records))


def _move(path: Path, aside: Path) -> None:
    """Move what is there to the folder, next to earlier ones of its name."""
    if os.path.lexists(path):
        names = (aside / path if number == 0 else aside / f"{path}~{number}" for number in count())
        target = next(name for name in names if not os.path.lexists(name))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
