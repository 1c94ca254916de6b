"""Transcribe rows: what is cached is looked up, the rest is decoded in batches of one padding step.

Torch is imported only once something has to be decoded. On a CPU the texts do not depend on the batch size.
Reads: audio files, model files, `work/transcripts/`, `work/audio/`. Writes: `work/transcripts/`, `work/audio/`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lora.asr.decoding.audio_store import AudioStore, KnownAudio, Rows
from lora.asr.decoding.padding import Samples, batches
from lora.asr.decoding.run_settings import Conditions, manifest_identity
from lora.asr.decoding.transcript_cache import Heard, TranscriptCache, opened
from lora.asr.device_memory import Shrinking
from lora.asr.devices import confirm_device, make_deterministic
from lora.provenance.recording import Recording
from lora.records.manifests import Utterance
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel

# Padded audio a batch, by device type: a CPU gains little from more, a GPU idles with less. A batch holds a few
# utterances at least, however far a family pads them.
BATCH_SECONDS = {"cpu": 120.0, "mps": 240.0, "cuda": 960.0}
FEWEST = 16
BATCH_SIZE = 64
PROGRESS_SECONDS = 5.0


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


@dataclass(frozen=True)
class BatchLimits:
    """How much goes into one batch at most; `seconds` null takes the device's own, shared out among beams."""

    seconds: float | None = None
    size: int = BATCH_SIZE


def decode_all(
    keys: list[str],
    store: AudioStore,
    speech: SpeechModel,
    conditions: Conditions,
    cache: TranscriptCache,
    recording: Recording,
    limits: BatchLimits,
) -> None:
    """Decode `keys` and add every batch to the cache as soon as it is done."""
    store.retain(set(keys))
    # Sorted by length, then hash: the same batches whatever the order of the manifests.
    keys = sorted(keys, key=lambda key: (store.lengths[key], key))
    rate = speech.sampling_rate
    own = BATCH_SECONDS[conditions.device.type] / conditions.decode["num_beams"]
    seconds = limits.seconds or max(own, FEWEST * speech.grid_seconds)
    grouped = batches([store.lengths[key] for key in keys], rate, seconds, limits.size, speech.grid_seconds)
    progress = Progress(len(keys))

    def decode(audio: Sequence[Samples]) -> list[Heard]:
        result = speech.generate(speech.inputs(audio), conditions.decode)
        return [Heard(text, cut) for text, cut in zip(result.texts, result.truncated, strict=True)]

    shrinking = Shrinking(recording.adjust)
    for names, audio in store.read_ahead([[keys[position] for position in batch] for batch in grouped]):
        for first, heard in shrinking.run(audio, decode):
            part = names[first : first + len(heard)]
            cache.add(zip(part, heard, strict=True))
            progress.add(len(heard))


class Progress:
    """A plain line on stderr every few seconds: logs are read by people, bars flood them."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.begun = self.last = time.monotonic()

    def add(self, number: int) -> None:
        self.done += number
        now = time.monotonic()
        if now - self.last < PROGRESS_SECONDS and self.done < self.total:
            return
        self.last = now
        speed = self.done / max(now - self.begun, 1e-9)
        left = (self.total - self.done) / speed
        print(
            f"transcribed {self.done} of {self.total} utterances, {speed:.1f} a second, {left:.0f} s left",
            file=sys.stderr,
            flush=True,
        )
