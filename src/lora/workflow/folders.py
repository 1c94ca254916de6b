"""Folders that the workflow writes to, where something else may have their names: a file, or a link to a lost disk."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lora.records.base import UserError

# Snakemake creates its own folders, without a word of what is in the way.
OF_SNAKEMAKE = (
    "auxiliary",
    "conda",
    "conda-archive",
    "incomplete",
    "iocache",
    "locks",
    "metadata",
    "shadow",
    "singularity",
)
ALWAYS = ("docs", "work/benchmarks", "work/logs", *(f".snakemake/{name}" for name in OF_SNAKEMAKE))


def require_folders(results: Iterable[str]) -> None:
    """Raise UserError where a folder of the results, of the logs or of the documents cannot be one.

    Args:
        results: Paths of the results. Relative to the study folder, which is the working directory.
    """
    last = {Path(path) for path in ALWAYS} | {Path(path).parent for path in results}
    for folder in sorted(last | {above for path in last for above in path.parents}):
        if folder.is_symlink() and not folder.exists():
            raise UserError(
                f"{folder}: a link to {folder.readlink()}, which does not exist. Mount or create that folder, or "
                "remove the link."
            )
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder}: a file, where the workflow writes a folder of this name. Move it elsewhere.")
