"""Notice results that are not as they were computed: edited, cut off by a full disk, damaged, or another version's.

Snakemake takes whatever is in the place of a result for the result, and computes everything after it from that.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lora.provenance.hashes import sampled_hash
from lora.records.base import UserError
from lora.records.provenance import RunRecord

ENDING = ".run.json"
ASIDE = Path("work/changed")


def set_aside_changed(results: Path, aside: Path = ASIDE) -> list[Path]:
    """Move results that differ from what their run records state to a folder, so that they are computed again.

    Where the changed file is inside a folder that was computed, the first file of the same execution is moved as well,
    because Snakemake does not look into folders. Paths are relative to the study folder, the working directory.

    Returns:
        The changed files, where they were.
    """
    changed = []
    for path in _run_records(results):
        try:
            record = RunRecord.read(path)
        except (UserError, OSError):
            continue  # nothing is known of its results
        for name, written in record.contents.items():
            result = Path(name)
            # A record in a copy of the results describes the originals.
            if ".." in result.parts or not result.is_relative_to(path.parent) or not result.is_file():
                continue
            if sampled_hash(result) != written:
                changed.append(result)
                _move(result, aside)
                if name not in record.outputs:
                    _move(Path(record.outputs[0]), aside)
    return changed


def _run_records(results: Path) -> Iterator[Path]:
    """Run records in a results folder. Folders with a record next to them are results, which may have many files."""
    for folder, folders, names in os.walk(results):
        folders[:] = sorted(name for name in folders if f"{name}{ENDING}" not in names)
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(ENDING))


def _move(path: Path, aside: Path) -> None:
    if path.is_file():
        target = aside / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(path, target)
