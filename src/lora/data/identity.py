"""Which rows a run was scored on, independent of their order and of where their audio files stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lora.data.audio.loading import load_audio, samples_hash
from lora.provenance.hashes import content_hash
from lora.records.manifests import Utterance
from lora.records.settings import ManifestIdentity


def audio_hashes(rows: Iterable[Utterance], folder: Path | str, sampling_rate: int = 16000) -> list[str]:
    """Hashes of the decoded samples of every row, before loudness is changed; decodes all of the audio."""
    return [samples_hash(load_audio(row, folder, sampling_rate)) for row in rows]


def manifest_identity(name: str, rows: Sequence[Utterance], hashes: Sequence[str]) -> ManifestIdentity:
    """Identity by id, text and samples of every row; `hashes` are those of the rows, in their order."""
    entries = sorted(f"{row.id}\0{row.text}\0{key}" for row, key in zip(rows, hashes, strict=True))
    return ManifestIdentity(name=name, rows=len(rows), content_hash=content_hash(*entries))
