"""One pass of a model over utterances that no cache holds: batches of one padding step, saved one by one.

Batches are filled up to a budget of padded audio; where a GPU runs out of memory they are halved, and the run says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lora.asr.decoding.audio_store import AudioStore
from lora.asr.decoding.padding import Samples, batches
from lora.asr.decoding.run_settings import Conditions
from lora.asr.decoding.transcript_cache import Heard, TranscriptCache
from lora.asr.device_memory import Shrinking
from lora.provenance.recording import Recording

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel

# Padded audio a batch, by device type: a CPU gains little from more, a GPU idles with less. A batch holds a few
# utterances at least, however far a family pads them.
BATCH_SECONDS = {"cpu": 120.0, "mps": 240.0, "cuda": 960.0}
FEWEST = 16
BATCH_SIZE = 64
PROGRESS_SECONDS = 5.0


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
