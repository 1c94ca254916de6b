"""The mark of published documents: what they contained, so that a change is noticed whatever the times of files are.

Snakemake notices an edited document by its time. That is old where a document was restored from a backup, and may be
older than the results where two computers write to one folder.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lora.provenance.hashes import content_hash, file_hash
from lora.records.base import write_text


def write_mark(mark: Path, documents: Iterable[Path | str]) -> None:
    """Record what the documents contain now."""
    write_text(mark, _contents(documents))


def remove_outdated_mark(mark: Path, documents: Iterable[Path | str]) -> bool:
    """Remove the mark unless the documents contain what it records, so that they are published again.

    Returns:
        Whether it was removed.
    """
    if not mark.is_file() or mark.read_text(encoding="utf-8", errors="replace") == _contents(documents):
        return False
    mark.unlink()
    return True


def _contents(documents: Iterable[Path | str]) -> str:
    return f"{content_hash(*map(file_hash, documents))}\n"
