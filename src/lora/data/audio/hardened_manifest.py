"""A distorted copy of a manifest as files: audio and rows in a new folder, the given data as it was.

Audio is written as 32-bit float WAV, because that keeps every sample as it is: a model hears exactly what `harden`
measured, noise beyond full scale included.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from lora.data.audio.distortions import Distortion
from lora.data.audio.loading import load_audio, samples_hash
from lora.records.base import UserError, write_lines, write_text
from lora.records.manifests import Utterance

ROWS = "manifest.jsonl"
ORIGIN = "origin.json"


def write_hardened(
    rows: Sequence[Utterance],
    source: Path,
    target: Path,
    distortion: Distortion,
    sampling_rate: int,
    origin: dict[str, object],
) -> Path:
    """Write `target/manifest.jsonl`, `target/audio/` and `target/origin.json`; returns the manifest's path.

    `source` is the folder that audio paths of `rows` start from. Ids, texts and speakers stay; durations (seconds) are
    those of the written audio. Everything appears at once or, on an error, not at all. Raises UserError where the
    target exists, and naming row and file where audio cannot be read.
    """
    import soundfile

    if target.exists() or target.is_symlink():
        raise UserError(f"{target}: exists already, and nothing is overwritten; name a new folder")
    building = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        (building / "audio").mkdir(parents=True)
        written = []
        for number, row in enumerate(rows, start=1):
            clean = load_audio(row, source, sampling_rate)
            samples = distortion.apply(clean, sampling_rate, samples_hash(clean))
            name = f"audio/{number:05d}.wav"
            soundfile.write(building / name, samples, sampling_rate, format="WAV", subtype="FLOAT")
            seconds = round(len(samples) / sampling_rate, 6)
            written.append(Utterance(id=row.id, text=row.text, duration=seconds, audio=name, speaker_id=row.speaker_id))
        write_lines(building / ROWS, written)
        write_text(building / ORIGIN, json.dumps(origin, indent=2, ensure_ascii=False) + "\n")
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target / ROWS
