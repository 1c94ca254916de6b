"""Checksums of finished work that is kept, so that a file damaged since then is noticed before it is copied."""

from __future__ import annotations

import json
from pathlib import Path

from lora.provenance.hashes import file_hash
from lora.records.base import UserError, write_text

CHECKSUMS = "checksums.json"


def write_checksums(folder: Path) -> None:
    """Write the hash of every file of a folder into the folder."""
    write_text(folder / CHECKSUMS, json.dumps(_hashes(folder), indent=2) + "\n")


def damaged_files(folder: Path) -> list[str]:
    """Files that are missing or not as they were written; none where an earlier version wrote no checksums."""
    if not (folder / CHECKSUMS).is_file():
        return []
    try:
        written = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        present = _hashes(folder)
        return sorted(name for name, digest in written.items() if present.get(name) != digest)
    except (ValueError, AttributeError, UserError, OSError):
        return [CHECKSUMS]


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != CHECKSUMS)
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}
