"""Notice audio files that could not be reached when a manifest was read and can be now.

Such as on a disk that was offline, or those that this user was not allowed to read.

Snakemake compares the files with rows, and none of the recordings.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from lora import layout
from lora.data.existing_files import is_readable
from lora.data.formats.interface import found_path
from lora.data.manifest import open_manifest
from lora.data.manifest_rows import FORBIDDEN_FILE, MISSING_FILE
from lora.data.tables import read_cells
from lora.records.base import UserError, columns_of
from lora.records.manifests import RejectedRow
from lora.workflow.files import unpacked_audio
from lora.workflow.study import Study

MOST_LOOKED_UP = 1_000  # missing files per manifest: a disk that is back has the first ones, too


def inspect_restored(study: Study, *, pretend: bool = False) -> list[str]:
    """Delete the measurements of manifests of which missing audio is there now, so that they are inspected again.

    Paths are relative to the study folder, which is the working directory. With `pretend`, as in a dry run, nothing is
    deleted.

    Returns:
        The manifests.
    """
    restored = [manifest for manifest in study.config.manifests if _has_restored(study, manifest)]
    for manifest in () if pretend else restored:
        Path(layout.INTEGRITY.in_study(manifest=manifest)).unlink(missing_ok=True)
    return restored


def _has_restored(study: Study, manifest: str) -> bool:
    try:
        reasons = (row[-1] for row in read_cells(layout.REJECTED.in_study(manifest=manifest), columns_of(RejectedRow)))
        missing = [
            reason.removeprefix(beginning)
            for reason in reasons
            for beginning in (MISSING_FILE, FORBIDDEN_FILE)
            if reason.startswith(beginning)
        ]
        if not missing:
            return False
        unpacked = [Path(folder) for folder in unpacked_audio(study, manifest)]
        folder = open_manifest(study.source(manifest), *unpacked).folder
    except (UserError, OSError):
        return False  # never read, or not readable now: Snakemake's business
    return any(
        is_readable(folder / found_path(folder, name))
        for path in islice(missing, MOST_LOOKED_UP)
        for name in _names(path)
    )


def _names(path: str) -> tuple[str, str]:
    """A path as a reason ends with it, and without the place that rows of several files have after it."""
    return path, path.rpartition(" (")[0] or path
