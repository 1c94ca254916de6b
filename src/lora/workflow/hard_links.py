"""Files of a study that was copied with hard links (`cp -al`, snapshots of backups) and are written in place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

UNFINISHED = ".copy"


def unlink_from_copies(folder: Path) -> None:
    """Replace every file of a folder that has other hard links by a copy, so that writing it changes no other study.

    Snakemake writes its records in place: a run in a copy would make those of the original state settings that its
    results do not have. What this software writes replaces files by others.
    """
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.stat().st_nlink > 1:
                unfinished = folder / UNFINISHED
                shutil.copy2(path, unfinished)
                unfinished.replace(path)
