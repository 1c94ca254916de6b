"""The configuration that is saved with results, `results/config.json`."""

from __future__ import annotations

from pathlib import Path

from lora.configuration.study import StudyConfig
from lora.records.base import UserError


def discard_unreadable(path: Path) -> bool:
    """Delete a recorded configuration that an earlier version wrote with other keys, so that it is recorded again.

    Snakemake keeps a file without a record of how it was made (`.snakemake/metadata`), whatever is in it.

    Returns:
        Whether it was deleted.
    """
    if not path.is_file():
        return False
    try:
        StudyConfig.read(path)
    except UserError:
        path.unlink()
        return True
    return False
