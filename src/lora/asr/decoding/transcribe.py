"""Transcribe rows: what is cached is looked up, the rest is decoded in batches of one padding step.

Torch is imported only once something has to be decoded. On a CPU the texts do not depend on the batch size.
Reads: audio files, model files, `work/transcripts/`, `work/audio/`. Writes: `work/transcripts/`, `work/audio/`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lora.asr.decoding.audio_index import KnownAudio
from lora.asr.decoding.audio_store import AudioStore, Rows
from lora.asr.decoding.decode_pass import BatchLimits, decode_all
from lora.asr.decoding.run_settings import Conditions, manifest_identity
from lora.asr.decoding.transcript_cache import Heard, opened
from lora.asr.devices import confirm_device, make_deterministic
from lora.provenance.recording import Recording
from lora.records.manifests import Utterance
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript

__all__ = ["BatchLimits", "Rows", "Transcribed", "transcribe_manifests"]

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel


@dataclass(frozen=True)
class Transcribed:
    """Transcripts of one manifest in its order, and the settings they were made with."""

    transcripts: list[Transcript]
    settings: RunSettings


def transcribe_manifests(
    run_name: str,
    manifests: Mapping[str, Rows],
    conditions: Conditions,
    work_dir: Path | str,
    recording: Recording,
    adapter: Path | None = None,
    limits: BatchLimits | None = None,
) -> dict[str, Transcribed]:
    """Transcripts of every manifest, decoding each distinct piece of audio at most once.

    Raises UserError for unreadable audio, AdapterProblem where the adapter cannot be used.
    """
    rate = conditions.files.sampling_rate
    store = AudioStore(rate, conditions.preprocess["target_rms"], known=KnownAudio(work_dir, rate))
    hashes = {name: store.add(rows) for name, rows in manifests.items()}
    wanted = list(dict.fromkeys(key for keys in hashes.values() for key in keys))
    conditions, texts, decoded = _hear(wanted, store, conditions, work_dir, recording, adapter, limits)
    recording.device(conditions.device.type, conditions.device.dtype)
    recording.count(decoded=decoded, reused=sum(map(len, hashes.values())) - decoded)
    return {
        name: Transcribed(
            [_transcript(row, texts[key]) for row, key in zip(rows.rows, hashes[name], strict=True)],
            conditions.settings(run_name, manifest_identity(name, rows.rows, hashes[name])),
        )
        for name, rows in manifests.items()
    }


def _hear(
    wanted: list[str],
    store: AudioStore,
    conditions: Conditions,
    work_dir: Path | str,
    recording: Recording,
    adapter: Path | None,
    limits: BatchLimits | None,
) -> tuple[Conditions, dict[str, Heard], int]:
    """Texts by hash under the conditions that held in the end, and how many were decoded for it."""
    with opened(work_dir, conditions.fingerprint) as cache:
        missing = [key for key in wanted if key not in cache]
        if not missing:
            _report_fallbacks(conditions, recording)
            return conditions, {key: cache[key] for key in wanted}, 0
        confirmed = confirm_device(conditions.device)
        if confirmed == conditions.device:
            _report_fallbacks(conditions, recording)
            speech = _loaded(conditions, adapter)
            decode_all(missing, store, speech, conditions, cache, recording, limits or BatchLimits())
            return conditions, {key: cache[key] for key in wanted}, len(missing)
    # Torch sees another device than the one that named this cache: everything is looked up under the
    # right name.
    conditions = replace(conditions, device=confirmed)
    return _hear(wanted, store, conditions, work_dir, recording, adapter, limits)


def _report_fallbacks(conditions: Conditions, recording: Recording) -> None:
    for text in conditions.device.fallbacks:
        recording.fallback(text)


def _loaded(conditions: Conditions, adapter: Path | None) -> SpeechModel:
    from lora.asr.model_loading import load_model

    make_deterministic(0, conditions.device.threads, algorithms=conditions.device.type != "cpu")
    speech = load_model(conditions.files, conditions.device.type, conditions.device.dtype)
    if adapter is not None:
        from lora.asr.adapter.loading import load_adapter

        load_adapter(speech, adapter)
    return speech


def _transcript(row: Utterance, heard: Heard) -> Transcript:
    return Transcript(
        id=row.id,
        reference=row.text,
        hypothesis=heard.hypothesis,
        duration=row.duration,
        truncated=heard.truncated,
    )
