"""Healthy audio in every container, written once per process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

RATE = 16000
SECONDS = 0.15
ROWS = 25  # of a manifest
# Name of a container: format and encoding of libsndfile.
CONTAINERS = {
    "wav": ("WAV", "PCM_16"),
    "wav24": ("WAV", "PCM_24"),
    "wavfloat": ("WAV", "FLOAT"),
    "wavadpcm": ("WAV", "IMA_ADPCM"),
    "wavulaw": ("WAV", "ULAW"),
    "wavex": ("WAVEX", "PCM_16"),
    "rf64": ("RF64", "PCM_16"),
    "w64": ("W64", "PCM_16"),
    "aiff": ("AIFF", "PCM_16"),
    "au": ("AU", "PCM_16"),
    "caf": ("CAF", "PCM_16"),
    "nist": ("NIST", "PCM_16"),
    "voc": ("VOC", "PCM_16"),
    "ircam": ("IRCAM", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}


@cache
def folder() -> Path:
    """A folder with `u0000.wav` to `u2424.wav`, removed when the process ends."""
    made = Path(tempfile.mkdtemp(prefix="fuzz audio "))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    for number in range(ROWS):
        soundfile.write(made / audio_name(number), noise(number), RATE, subtype="PCM_16")
    return made


def audio_name(number: int) -> str:
    return f"u{number:02d}{number:02d}.wav"


def row_id(number: int) -> str:
    """An id that no flipped bit turns into that of another row."""
    return f"id{number:02d}{number:02d}"


def noise(number: int) -> np.ndarray:
    return 0.1 * np.random.default_rng(number).standard_normal(round(SECONDS * RATE))


@cache
def audio(container: str, channels: int = 1) -> bytes:
    """The bytes of a healthy file."""
    kind, encoding = CONTAINERS[container]
    path = folder() / f"healthy-{channels}.{container}"
    samples = np.tile(noise(7)[:, None], channels)
    soundfile.write(path, samples, RATE, format=kind, subtype=encoding)
    return path.read_bytes()
