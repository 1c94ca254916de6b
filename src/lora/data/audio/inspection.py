"""Measure the audio of every row: duration, rate, channels, loudness, clipping, bandwidth, hash of the samples.

Audio that cannot be decoded gives a measure with the reason. Audio that has vanished is an error: it says nothing about
the recording, and the measures are kept.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lora.data.audio.loading import Samples, decode, samples_hash
from lora.data.existing_files import exists
from lora.progress import Progress
from lora.records.base import UserError
from lora.records.integrity import AudioMeasure
from lora.records.manifests import Utterance

# Starting a worker process takes about half a second, in which one process measures some fifty utterances.
PARALLEL_FROM = 400
CHUNK = 32
SILENCE = -120.0  # dB, written for digital silence
LOUD_FRAMES = 0.95  # quantile of frame loudness, which leaves pauses out
PEAK_SHARE = 0.99  # of the row's own peak; lossy codecs make clipped peaks slightly uneven
FAINT_PEAK = 0.01  # below it the steps of 16-bit samples look like clipping
MAX_FRAMES = 5000  # of 32 ms; of longer audio every second or third frame is used
BAND = 250.0  # Hz
BAND_FLOOR = 50.0  # dB below the strongest band; speech reaches 7 kHz and more, telephone speech 4 to 4.5 kHz


def inspect_rows(
    rows: Sequence[Utterance], folder: Path | str, workers: int = 1, job: str = "audio inspection"
) -> list[AudioMeasure]:
    """Measure every row, in order; large manifests in `workers` processes.

    Args:
        rows: Rows of a manifest.
        folder: Folder at which audio paths start.
        workers: Number of processes.
        job: Start of the progress lines on stderr.
    """
    inspect = partial(inspect_row, folder=str(folder))
    if workers == 1 or len(rows) < PARALLEL_FROM:
        return _with_progress(job, rows, map(inspect, rows))
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        return _with_progress(job, rows, pool.map(inspect, rows, chunksize=CHUNK))


def _with_progress(job: str, rows: Sequence[Utterance], measures: Iterable[AudioMeasure]) -> list[AudioMeasure]:
    """Collect the measures of all rows, and print lines of progress."""
    audio = sum(row.duration for row in rows)
    progress = Progress(job, seconds=audio, padded=audio)
    measured = []
    for row, measure in zip(rows, measures, strict=True):
        measured.append(measure)
        progress.begin(row.duration, row.duration)
    progress.end()
    return measured


def inspect_row(row: Utterance, folder: str) -> AudioMeasure:
    """Measure a row. Raises UserError where its file, which was there when the manifest was read, is missing."""
    unmeasured = AudioMeasure(
        line=row.line, id=row.id, manifest_duration=row.duration, characters=len("".join(row.text.split()))
    )
    try:
        measures = _measures(row, folder)
    except MemoryError:
        raise
    except Exception as error:  # whatever a damaged file leads to costs this row only
        if row.audio is not None and not exists(Path(folder, row.audio)):
            raise UserError(
                f"row {row.id}: {row.audio} was there when the manifest was read, and is missing now. Run the same "
                "command again when it can be reached."
            ) from None
        reason = str(error).removeprefix(f"row {row.id}: ") or type(error).__name__
        return replace(unmeasured, problem=f"unreadable audio: {reason}")
    return replace(unmeasured, **measures)


def _measures(row: Utterance, folder: str) -> dict[str, Any]:
    samples, rate = decode(row, folder)
    return {
        "seconds": round(len(samples) / rate, 4),
        "rate": rate,
        "channels": _channels(row, folder),
        "level": round(loudness(samples, rate), 1),
        "clipped": round(clipped_share(samples), 6),
        "bandwidth": bandwidth(samples, rate),
        "audio_hash": samples_hash(samples),
        "channel": row.channel,
    }


def _channels(row: Utterance, folder: str) -> int:
    import soundfile

    return 1 if row.audio is None else int(soundfile.info(str(Path(folder, row.audio))).channels)


def loudness(samples: Samples, rate: int) -> float:
    """Root mean square of the loud 20 ms frames in dB relative to full scale, without any constant offset."""
    frames = _frames(samples - samples.mean(dtype=np.float64), round(0.02 * rate))
    rms = float(np.quantile(np.sqrt(np.mean(np.square(frames, dtype=np.float64), axis=1)), LOUD_FRAMES))
    return max(SILENCE, 20 * float(np.log10(rms))) if rms > 0 else SILENCE


def clipped_share(samples: Samples) -> float:
    """Share of samples that begin a run of three within 1 % of the row's own peak, as clipped peaks do."""
    size = np.abs(samples)
    peak = float(size.max())
    if peak < FAINT_PEAK or len(size) < 3:
        return 0.0
    high = size >= PEAK_SHARE * peak
    return float(np.count_nonzero(high[:-2] & high[1:-1] & high[2:]) / len(size))


def bandwidth(samples: Samples, rate: int) -> float | None:
    """Upper edge (Hz) of the highest band of 250 Hz that is within 50 dB of the strongest; None for silence."""
    frames = _frames(samples, round(0.032 * rate))
    frames = frames[:: 1 + len(frames) // MAX_FRAMES]
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(frames.shape[1]), axis=1)) ** 2, axis=0)
    frequencies = np.fft.rfftfreq(frames.shape[1], 1 / rate)
    inside = frequencies >= BAND / 2  # leaves out hum and constant offset
    index = (frequencies[inside] // BAND).astype(int)
    bands = np.bincount(index, weights=power[inside]) / np.maximum(np.bincount(index), 1)
    if bands.max() <= 0:
        return None
    return min(float(BAND * (1 + np.nonzero(bands >= bands.max() * 10 ** (-BAND_FLOOR / 10))[0].max())), rate / 2)


def _frames(samples: Samples, length: int) -> Samples:
    """Complete frames, shape (frames, length); audio shorter than one frame is padded with zeros."""
    padded = samples if len(samples) >= length else np.pad(samples, (0, length - len(samples)))
    count = len(padded) // length
    return padded[: count * length].reshape(count, length)
