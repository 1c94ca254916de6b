"""Write a distorted copy of a manifest: audio and rows in a new folder, without changing the original.

Audio is written as 32-bit float WAV, which is lossless, so that a model receives exactly the samples that `harden`
scored, noise beyond full scale included.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from lora.data.audio.distortions import Distortion
from lora.data.audio.loading import load_audio, samples_hash
from lora.data.audio.wav_file import write_wav
from lora.data.existing_files import require_new
from lora.records.base import write_lines, write_text
from lora.records.manifests import Utterance
from lora.records.temporary_files import temporary_for

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
    """Write `target/manifest.jsonl`, `target/audio/` and `target/origin.json`; return the path of the manifest.

    Ids, texts and speakers stay; durations (seconds) are those of the written audio. All files appear at once or, on an
    error, none.

    Args:
        rows: rows of the original manifest.
        source: folder from which their audio paths start.
        target: folder to create.
        distortion: applied to every row.
        sampling_rate: of the written audio, Hz.
        origin: content of `origin.json`.

    Raises:
        UserError: where the target exists, and where audio cannot be read, with row and file.
    """
    require_new(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = temporary_for(target)
    try:
        (building / "audio").mkdir(parents=True)
        written = []
        for number, row in enumerate(rows, start=1):
            clean = load_audio(row, source, sampling_rate)
            samples = distortion.apply(clean, sampling_rate, samples_hash(clean))
            name = f"audio/{number:05d}.wav"
            write_wav(building / name, samples, sampling_rate, "FLOAT")
            seconds = round(len(samples) / sampling_rate, 6)
            written.append(Utterance(id=row.id, text=row.text, duration=seconds, audio=name, speaker_id=row.speaker_id))
        write_lines(building / ROWS, written)
        write_text(building / ORIGIN, json.dumps(origin, indent=2, ensure_ascii=False) + "\n")
        building.rename(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target / ROWS
