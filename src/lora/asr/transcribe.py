"""Transcribe rows: what is cached is looked up, the rest is decoded in batches of one padding step.

Torch is imported only once something has to be decoded. On a CPU the texts do not depend on the batch size.
Reads: audio files, model files, `work/transcripts/`. Writes: `work/transcripts/`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lora.asr.devices import confirm_device, make_deterministic
from lora.asr.padding import Samples, batches
from lora.asr.run_settings import Conditions, manifest_identity
from lora.asr.samples import AudioStore, Rows
from lora.asr.transcript_cache import Heard, TranscriptCache, opened
from lora.provenance import Recording
from lora.records import RunSettings, Transcript, UserError, Utterance

__all__ = ["BatchLimits", "Rows", "Transcribed", "transcribe_manifests"]

if TYPE_CHECKING:
    from lora.asr.families import SpeechModel

BATCH_SECONDS, BATCH_SIZE = 120.0, 64
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Transcribed:
    """Transcripts of one manifest in its order, and the settings they were made with."""

    transcripts: list[Transcript]
    settings: RunSettings


@dataclass
class BatchLimits:
    """How much goes into one batch; halved when a GPU runs out of memory."""

    seconds: float = BATCH_SECONDS
    size: int = BATCH_SIZE


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
    store = AudioStore(conditions.files.sampling_rate, conditions.preprocess["target_rms"])
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
            _decode(missing, store, speech, conditions, cache, recording, limits or BatchLimits())
            return conditions, {key: cache[key] for key in wanted}, len(missing)
    # Torch sees another device than the one that named this cache: everything is looked up under the
    # right name.
    conditions = replace(conditions, device=confirmed)
    return _hear(wanted, store, conditions, work_dir, recording, adapter, limits)


def _report_fallbacks(conditions: Conditions, recording: Recording) -> None:
    for text in conditions.device.fallbacks:
        recording.fallback(text)


def _loaded(conditions: Conditions, adapter: Path | None) -> SpeechModel:
    from lora.asr.families import load_model

    make_deterministic(0, conditions.device.threads)
    speech = load_model(conditions.files, conditions.device.type, conditions.device.dtype)
    if adapter is not None:
        from lora.asr.adapters import load_adapter

        load_adapter(speech, adapter)
    return speech


def _decode(
    keys: list[str],
    store: AudioStore,
    speech: SpeechModel,
    conditions: Conditions,
    cache: TranscriptCache,
    recording: Recording,
    limits: BatchLimits,
) -> None:
    store.retain(set(keys))
    # Sorted by length, then hash: the same batches whatever the order of the manifests.
    keys = sorted(keys, key=lambda key: (store.lengths[key], key))
    rate = speech.sampling_rate
    grouped = batches([store.lengths[key] for key in keys], rate, limits.seconds, limits.size, speech.grid_seconds)
    progress = Progress(len(keys))

    def decode(audio: list[Samples]) -> list[Heard]:
        result = speech.generate(speech.inputs(audio), conditions.decode)
        return [Heard(text, cut) for text, cut in zip(result.texts, result.truncated, strict=True)]

    shrinking = Shrinking(limits, recording)
    for names, audio in store.read_ahead([[keys[position] for position in batch] for batch in grouped]):
        for first, heard in shrinking.run(audio, decode):
            part = names[first : first + len(heard)]
            cache.add(zip(part, heard, strict=True))
            progress.add(len(heard))


class Shrinking:
    """Runs batches and halves them, once and for all, when a GPU has too little memory."""

    def __init__(self, limits: BatchLimits, recording: Recording) -> None:
        self.limits = limits
        self.recording = recording
        self.largest: int | None = None

    def run(
        self, audio: list[Samples], decode: Callable[[list[Samples]], list[Heard]]
    ) -> list[tuple[int, list[Heard]]]:
        """Results of consecutive parts, each with the position it starts at."""
        import torch

        results: list[tuple[int, list[Heard]]] = []
        start = 0
        while start < len(audio):
            size = min(len(audio) - start, self.largest or len(audio))
            try:
                results.append((start, decode(audio[start : start + size])))
            except torch.OutOfMemoryError:
                if size == 1:
                    raise UserError(
                        f"not enough memory on the device for one utterance ({len(audio[start])} samples); "
                        "use --device cpu, a smaller --dtype, or leave the longest rows out"
                    ) from None
                self.largest = size // 2
                torch.cuda.empty_cache()
                self.recording.adjust(
                    f"out of memory with {size} utterances a batch: at most {self.largest} from here on"
                )
                continue
            start += size
        return results


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


def _transcript(row: Utterance, heard: Heard) -> Transcript:
    return Transcript(
        id=row.id,
        reference=row.text,
        hypothesis=heard.hypothesis,
        duration=row.duration,
        truncated=heard.truncated,
    )
