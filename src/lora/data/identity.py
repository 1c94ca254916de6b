"""Identity of the rows that a run was scored on, independent of their order and of audio paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lora.data.audio.loading import load_audio, samples_hash
from lora.provenance.hashes import content_hash
from lora.records.manifests import Utterance
from lora.records.settings import ManifestIdentity


def audio_hashes(rows: Iterable[Utterance], folder: Path | str, sampling_rate: int = 16000) -> list[str]:
    """Hash of the decoded samples of every row, before loudness normalisation; decodes all of the audio."""
    return [samples_hash(load_audio(row, folder, sampling_rate)) for row in rows]


def manifest_identity(name: str, rows: Sequence[Utterance], hashes: Sequence[str]) -> ManifestIdentity:
    """Identity from id, text and samples of every row; `hashes` are the audio hashes in the order of rows."""
    entries = sorted(f"{row.id}\0{row.text}\0{key}" for row, key in zip(rows, hashes, strict=True))
    return ManifestIdentity(name=name, rows=len(rows), content_hash=content_hash(*entries))
