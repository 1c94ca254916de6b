"""Read the rows that a model command works on: validated ones, or a manifest of a person."""

from __future__ import annotations

from pathlib import Path

from lora.asr.decoding.audio_store import Rows
from lora.data.manifest import read_manifest, read_rows
from lora.data.source import Source
from lora.provenance.recording import Recording
from lora.records.base import UserError
from lora.records.manifests import Utterance


def training_rows(path: Path, run: Recording) -> Rows:
    """Read rows with labels; there may be none, which is a cause of its own."""
    return _rows(path, run, silence=False)


def evaluation_rows(name: str, path: Path, run: Recording) -> Rows:
    """Read the rows of a manifest to transcribe; there may be none, which the verdict decides on."""
    rows = _rows(path, run, silence=True)
    if not rows.rows:
        run.adjust(f"{path}: no usable row for manifest {name}: nothing to transcribe")
    return rows


def _rows(path: Path, run: Recording, *, silence: bool) -> Rows:
    """Validated rows as they are; of a manifest of a person the usable ones, with a report of the others."""
    if (validated := _validated_rows(path)) is not None:
        return Rows(validated, path.parent)
    manifest = read_manifest(Source(path, silence=silence))
    for rejected in manifest.rejected:
        run.adjust(f"{path}:{rejected.line}: left out: {rejected.reason}")
    return Rows(manifest.rows, manifest.folder)


def _validated_rows(path: Path) -> list[Utterance] | None:
    """Rows that validation has found usable; None for a manifest of a person, and for one without rows.

    Their audio is not looked up: what has vanished since then is an error, and not one row less in the result.
    """
    try:
        rows = read_rows(path)
    except (UserError, ValueError, OSError):
        return None
    return rows if rows and all(row.line is not None for row in rows) else None
