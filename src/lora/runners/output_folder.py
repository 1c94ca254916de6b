"""The folder that `quick` keeps its results in: its own, and never that of a study or of a person.

Writes: a mark in the folder, by which the next run knows that it may replace what the last one wrote.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lora.records.base import UserError

MARK = ".made-by-quick"
TOLD = "Made by `python -m lora.runners.quick`; its next run with this --output-dir replaces these results.\n"
# What a run may leave here. An earlier run's facts must not enter the new verdict; anything else is not ours to remove.
OWN = (
    "config.json", "durations", "gate.json", "integrity", "leakage", "manifests", "max_seconds.json", "mismatches",
    "paired", "parity", "plots", "reachable", "splits", "summary.html", "summary.md", "transcripts", "verdict.json",
    "wer",
)  # fmt: skip


def prepare(folder: Path, inputs: Iterable[Path]) -> None:
    """Make the folder, marked and without the results of an earlier run.

    Raises UserError where it is somebody else's, holds one of `inputs`, or cannot be written.
    """
    try:
        _refuse(folder, inputs)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MARK).write_text(TOLD, encoding="utf-8")
        for name in OWN:
            for path in (folder / name, folder / f"{name}.run.json"):
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"--output-dir {folder}: cannot be written: {error.strerror}") from None


def _refuse(folder: Path, inputs: Iterable[Path]) -> None:
    place = folder.resolve()
    for path in inputs:
        if path.resolve().is_relative_to(place):
            raise UserError(f"--output-dir {folder}: {path} lies inside it; name a folder that holds no input")
    if place.name == "results" and (place.parent / "config.yaml").is_file():
        raise UserError(f"--output-dir {folder}: it belongs to the study of config.yaml; name another folder")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--output-dir {folder}: it is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise UserError(
            f"--output-dir {folder}: it holds files that quick did not write; name a new or an empty folder"
        )
