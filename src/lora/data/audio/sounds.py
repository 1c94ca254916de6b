"""Waveforms of rows for drawing, and WAV files of rows that a browser cannot play as they are."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from lora.data.audio.loading import Samples, decode
from lora.data.audio.wav_file import write_wav
from lora.records.base import UserError
from lora.records.listening import Sound
from lora.records.manifests import Utterance

# Starting a worker process takes about half a second, in which one process decodes some hundred utterances.
PARALLEL_FROM = 400
CHUNK = 32
PARTS = 200  # of a waveform
QUIET = 0.02  # peak below which a waveform is drawn as quiet, instead of as high as any other
LEVELS = 63
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
# What Chromium, Firefox and Safari play: suffixes with the formats and encodings of libsndfile.
SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"})
PLAYED = {
    "WAV": {"PCM_U8", "PCM_16", "PCM_24", "FLOAT"},
    "WAVEX": {"PCM_U8", "PCM_16", "PCM_24", "FLOAT"},
    "FLAC": {"PCM_S8", "PCM_16", "PCM_24"},
    "OGG": {"VORBIS", "OPUS"},
    "MP3": {"MPEG_LAYER_III"},
    "MPEG": {"MPEG_LAYER_III"},
}


def sounds_of(rows: Sequence[Utterance], source: Path, folder: Path, workers: int = 1) -> Iterator[Sound]:
    """Sound of every row, in order; audio that cannot be read gives its reason, never an error.

    Args:
        rows: Rows of a manifest.
        source: Where their relative audio paths start.
        folder: Where WAV files of rows are written that a browser cannot play, named by the row's position.
        workers: Processes for large manifests. One row per process is in memory at a time.
    """
    prepare = partial(sound_of, source=str(source), folder=str(folder))
    if workers == 1 or len(rows) < PARALLEL_FROM:
        yield from map(prepare, rows, range(len(rows)))
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(prepare, rows, range(len(rows)), chunksize=CHUNK)


def sound_of(row: Utterance, number: int, source: str, folder: str) -> Sound:
    if row.audio is None and row.samples is None:
        return Sound(id=row.id, problem="the manifest names no audio for this row")
    if row.audio is not None and not Path(source, row.audio).is_file():
        return Sound(id=row.id, problem=f"{row.audio} does not exist")
    try:
        samples, rate = decode(row, source)
        file = None if plays(row, source) else f"{number + 1:06d}.wav"
        if file is not None:
            write_playable(Path(folder, file), samples, rate)
    except UserError as error:
        return Sound(id=row.id, problem=str(error).removeprefix(f"row {row.id}: "))
    return Sound(id=row.id, file=file, waveform=waveform(samples))


def plays(row: Utterance, source: Path | str) -> bool:
    """Whether a browser plays the row's own file as it is transcribed: a common format, and all of its channels."""
    if row.audio is None or Path(row.audio).suffix.lower() not in SUFFIXES:
        return False
    import soundfile

    info = soundfile.info(str(Path(source, row.audio)))
    return info.subtype in PLAYED.get(info.format, ()) and (row.channel is None or info.channels == 1)


def write_playable(path: Path, samples: Samples, rate: int) -> None:
    """Write mono samples as 16-bit WAV; samples beyond full scale are clipped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_wav(path, np.clip(samples, -1.0, 1.0), rate, "PCM_16")


def waveform(samples: Samples) -> str:
    """Lowest and highest sample of each part, two characters a part, relative to the peak of the row."""
    parts = min(PARTS, len(samples))
    starts = np.linspace(0, len(samples), parts, endpoint=False).astype(np.int64)
    peak = max(QUIET, float(np.abs(samples).max()))
    low = np.minimum.reduceat(samples, starts) / peak
    high = np.maximum.reduceat(samples, starts) / peak
    levels = np.stack([low, high], axis=1).ravel()
    indexes = np.rint((levels + 1) / 2 * LEVELS).astype(int)
    return "".join(ALPHABET[index] for index in indexes)
