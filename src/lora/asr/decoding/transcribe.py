"""Transcribe manifests: take hypotheses from the cache and decode the rest in batches of one padding step.

Torch is imported only if something has to be decoded. On a CPU the hypotheses do not depend on the batch size.

Reads: audio files, model files, `work/transcripts/`, `work/audio/`. Writes: `work/transcripts/`, `work/audio/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lora.asr.adapter.identity import adapter_identity, require_unchanged
from lora.asr.decoding.audio_store import AudioIndex, AudioStore, Rows
from lora.asr.decoding.padding import Samples, batches
from lora.asr.decoding.run_settings import Conditions
from lora.asr.decoding.shards import Shard
from lora.asr.decoding.transcript_cache import Hypothesis, TranscriptCache, open_cache
from lora.asr.device_memory import BatchHalving, Report
from lora.asr.devices import confirm_device, make_deterministic
from lora.asr.progress import report_inputs
from lora.data.identity import manifest_identity
from lora.progress import Progress
from lora.provenance.recording import Recording
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel

# Seconds of padded audio per batch, by device type: a CPU gains little from more, a GPU is idle with less.
BATCH_SECONDS = {"cpu": 120.0, "mps": 240.0, "cuda": 960.0}
SMALLEST_BATCH = 16  # utterances, for families that pad every utterance to 30 s
BATCH_SIZE = 64


@dataclass(frozen=True)
class BatchLimits:
    """Largest batch: seconds of padded audio (None: by device, divided by the number of beams) and utterances."""

    seconds: float | None = None
    size: int = BATCH_SIZE


@dataclass(frozen=True)
class Transcribed:
    """Transcripts of one manifest in its order, and the settings of the run."""

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
    shard: Shard | None = None,
    decode: bool = True,
) -> dict[str, Transcribed]:
    """Transcribe all manifests and decode each distinct piece of audio at most once.

    With a shard, whose rows `manifests` then has, new hypotheses are cached in a file of the shard's own. Without
    `decode`, all hypotheses have to be in the cache.

    Raises:
        UserError: Audio cannot be read, or hypotheses are missing that may not be decoded.
        AdapterProblem: The adapter cannot be used.
    """
    rate = conditions.files.sampling_rate
    store = AudioStore(rate, conditions.preprocess["target_rms"], index=AudioIndex(work_dir, rate))
    hashes = {name: store.add(rows) for name, rows in manifests.items()}
    keys = list(dict.fromkeys(key for row_keys in hashes.values() for key in row_keys))
    job = f"transcription of {run_name}"
    conditions, hypotheses, decoded = _transcribe(
        job, keys, store, conditions, work_dir, recording, adapter, limits, shard, decode
    )
    recording.device(conditions.device.type, conditions.device.dtype)
    recording.count(decoded=decoded, reused=sum(map(len, hashes.values())) - decoded)
    return {
        name: Transcribed(
            [transcript(row, hypotheses[key]) for row, key in zip(rows.rows, hashes[name], strict=True)],
            conditions.settings(run_name, manifest_identity(name, rows.rows, hashes[name])),
        )
        for name, rows in manifests.items()
    }


def _transcribe(
    job: str,
    keys: list[str],
    store: AudioStore,
    conditions: Conditions,
    work_dir: Path | str,
    recording: Recording,
    adapter: Path | None,
    limits: BatchLimits | None,
    shard: Shard | None,
    decode: bool,
) -> tuple[Conditions, dict[str, Hypothesis], int]:
    """The conditions actually used, hypotheses by audio hash, and the number of utterances decoded."""
    with open_cache(work_dir, conditions.fingerprint, shard) as cache:
        missing = [key for key in keys if key not in cache]
        if not missing:
            _report_fallbacks(conditions, recording)
            return conditions, {key: cache[key] for key in keys}, 0
        if not decode:
            raise UserError(
                f"{job}: {len(missing)} of {len(keys)} recordings have no hypothesis in {cache.path.parent}: audio, "
                "model or software changed since the shards were transcribed. Transcribe them again "
                "(--forcerun transcribe_shard)."
            )
        confirmed = confirm_device(conditions.device)
        if confirmed == conditions.device:
            _report_fallbacks(conditions, recording)
            speech = _load_model(conditions, adapter)
            decode_all(missing, store, speech, conditions, cache, recording.adjust, limits or BatchLimits(), job)
            return conditions, {key: cache[key] for key in keys}, len(missing)
    # Torch cannot use the device that is part of this fingerprint: use the cache of the actual device.
    conditions = replace(conditions, device=confirmed)
    return _transcribe(job, keys, store, conditions, work_dir, recording, adapter, limits, shard, decode)


def _report_fallbacks(conditions: Conditions, recording: Recording) -> None:
    for text in conditions.device.fallbacks:
        recording.fallback(text)


def _load_model(conditions: Conditions, adapter: Path | None) -> SpeechModel:
    from lora.asr.model_loading import load_model

    make_deterministic(0, conditions.device.threads, algorithms=conditions.device.type != "cpu")
    speech = load_model(conditions.files, conditions.device.type, conditions.device.dtype)
    if adapter is not None:
        from lora.asr.adapter.loading import load_adapter

        load_adapter(speech, adapter)
        if conditions.adapter is not None:
            require_unchanged(adapter, conditions.adapter.hash, adapter_identity(adapter).hash)
    return speech


def transcript(row: Utterance, hypothesis: Hypothesis) -> Transcript:
    """The transcript of a row."""
    return Transcript(
        id=row.id,
        reference=row.text,
        hypothesis=hypothesis.text,
        duration=row.duration,
        truncated=hypothesis.truncated,
    )


def decode_all(
    keys: list[str],
    store: AudioStore,
    speech: SpeechModel,
    conditions: Conditions,
    cache: TranscriptCache,
    report: Report,
    limits: BatchLimits,
    job: str = "transcription",
) -> None:
    """Decode the audio of `keys` and add every batch to the cache as soon as it is done.

    If a device runs out of memory, batches are halved and `report` receives a message. Lines of progress start with
    `job`.
    """
    store.keep_only(set(keys))
    # Sorted by length, then hash: the same batches in whatever order the manifests have the rows.
    keys = sorted(keys, key=lambda key: (store.lengths[key], key))
    rate = speech.sampling_rate
    device_seconds = BATCH_SECONDS[conditions.device.type] / conditions.decode["num_beams"]
    seconds = limits.seconds or max(device_seconds, SMALLEST_BATCH * speech.grid_seconds)
    lengths = [store.lengths[key] for key in keys]
    grouped = batches(lengths, rate, seconds, limits.size, speech.grid_seconds)
    progress = Progress(job, sum(lengths) / rate, sum(map(speech.padded_seconds, lengths)))

    def decode(audio: Sequence[Samples]) -> list[Hypothesis]:
        result = speech.generate(speech.inputs(audio), conditions.decode)
        return [Hypothesis(text, truncated) for text, truncated in zip(result.texts, result.truncated, strict=True)]

    halving = BatchHalving(report)
    with report_inputs(speech, progress):
        for batch_keys, audio in store.read_ahead([[keys[position] for position in batch] for batch in grouped]):
            for first, hypotheses in halving.run(audio, decode):
                cache.add(zip(batch_keys[first : first + len(hypotheses)], hypotheses, strict=True))
