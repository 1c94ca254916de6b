"""Measurements that are kept in `work/<command>/<key>/`, so that a job that runs again copies its results. Torch-free.

A job runs again whenever its results might have changed, as when `--use-conda` is turned on. The key is a hash of
everything that does change them, the versions of libraries included: where it is the same, no model is loaded.

Reads: rows, audio, model files (for the key), `work/`. Writes: the results, `work/`.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora.asr.checksums import CHECKSUMS, damaged_files, write_checksums
from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import Device
from lora.asr.model_files import ModelFiles
from lora.asr.recipe import RECIPE
from lora.asr.training.data import rows_hash
from lora.asr.work_lock import locked
from lora.provenance.hashes import content_hash
from lora.provenance.recording import Recording
from lora.provenance.versions import model_versions
from lora.records.base import Record

RUN_NOTES = "run_notes.json"


@dataclass(frozen=True)
class Measurement:
    """What determines the results of one measurement, and nothing else.

    Attributes:
        command: Name of the command in `RECIPE`.
        files: The model.
        device: Device and number type.
        rows: The rows that are measured, in order.
        target_rms: Loudness that audio is scaled to, None to leave it unchanged.
        decode: Decoding settings of the study; those of the model count as well.
        batch_size: Utterances per batch.
        others: JSON values of what else the command takes, by name.
    """

    command: str
    files: ModelFiles
    device: Device
    rows: Rows
    target_rms: float | None
    decode: dict[str, Any]
    batch_size: int
    others: dict[str, Any] = field(default_factory=dict)

    def folder(self, work: Path) -> Path:
        """Where the measurement is kept."""
        return work / self.command / self.key()

    def key(self) -> str:
        described = {
            "recipe": RECIPE[self.command],
            "model": self.files.identity.to_json(),
            "generation": self.files.generation,
            "asked": [self.files.language, self.files.prompt],
            "device": self.device.settings(),
            "rows": rows_hash(self.rows.rows, self.rows.folder),
            "durations": [row.duration for row in self.rows.rows],
            "target_rms": self.target_rms,
            "decode": self.decode,
            "batch_size": self.batch_size,
            "versions": model_versions(),
            "others": self.others,
        }
        return content_hash(json.dumps(described, sort_keys=True))


class RunNotes(Record):
    """What the run record of a measurement states, for the records of later copies."""

    adjustments: list[str]
    utterances: int


def copy_or_measure(folder: Path, outputs: Mapping[str, Path], run: Recording, measure: Callable[[], bool]) -> None:
    """Copy the results that are kept in `folder`, or measure and keep them there.

    Args:
        folder: `Measurement.folder`.
        outputs: The files that `measure` writes, by their names in `folder`.
        run: Receives the adjustments of a kept measurement, and its utterances as reused ones.
        measure: Writes the outputs; returns whether it measured on the device that is part of the key.
    """
    with locked(folder):
        kept = folder / "kept"
        if _is_complete(kept, outputs):
            print(f"already measured, copied from {kept}", file=sys.stderr)
            for name, path in outputs.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(kept / name, path)
            notes = RunNotes.read(kept / RUN_NOTES)
            for text in notes.adjustments:
                run.adjust(text)
            run.count(reused=notes.utterances)
            return
        shutil.rmtree(kept, ignore_errors=True)
        known = len(run.adjustments)
        if not measure():
            return
        kept.mkdir()
        for name, path in outputs.items():
            shutil.copyfile(path, kept / name)
        RunNotes(adjustments=run.adjustments[known:], utterances=run.decoded or 0).write(kept / RUN_NOTES)
        write_checksums(kept)  # last: without it, nothing is copied


def _is_complete(kept: Path, outputs: Mapping[str, Path]) -> bool:
    needed = [*outputs, RUN_NOTES, CHECKSUMS]
    return all((kept / name).is_file() for name in needed) and not damaged_files(kept)
