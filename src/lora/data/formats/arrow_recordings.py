"""Recordings that Arrow and Parquet data contain, written as files.

Bytes are written unchanged, samples as 32-bit float WAV, which is lossless.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lora.data.audio.limits import rate_problem
from lora.data.audio.wav_file import write_wav
from lora.data.formats.interface import URL
from lora.provenance.hashes import content_hash

AUDIO_STARTS = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3"}
AUDIO_STARTS |= {b"\xff\xfb": ".mp3", b"\xff\xf3": ".mp3", b"\xff\xf2": ".mp3"}
SUFFIX = re.compile(r"\.[a-z0-9]{1,8}")
MOST_CHANNELS = 1024  # that libsndfile writes


def write_recording(
    audio: Any, folder: Path, number: str, origin: Path, *, write: bool = True
) -> tuple[str | None, str | None, str]:
    """Write the audio of a row; without `write`, only name it.

    Returns:
        The path of the audio from `folder`, the data set's name for it, and a hash of its content ("" where the data
        set contains only a path).
    """
    if isinstance(audio, bytes):
        audio = {"bytes": audio}
    if not isinstance(audio, Mapping):
        written = None if audio is None else str(audio)
        return (None if written is None else _relative(folder, origin, written)), written, ""
    name = audio.get("path") if isinstance(audio.get("path"), str) else None
    content = audio.get("bytes")
    samples = _samples(audio.get("array"), audio.get("sampling_rate"))
    if isinstance(content, bytes) and content:
        path = folder / f"{number}{_suffix(content, name)}"
        if write:
            path.write_bytes(content)
        return path.name, name, content_hash(content)
    if samples is not None and samples.ndim == 2 and len(samples) > MOST_CHANNELS:
        shape = " x ".join(map(str, samples.shape))
        raise ValueError(f"samples have the shape {shape}; expected (samples) or (channels x samples)")
    if samples is not None:
        if write:
            write_wav(folder / f"{number}.wav", samples.T, int(audio["sampling_rate"]), "FLOAT")
        return f"{number}.wav", name, content_hash(samples.tobytes())
    if audio.get("array") is not None and name is None:
        raise ValueError(f"samples are not numbers at a usable sampling rate ({audio.get('sampling_rate')!r:.40} Hz)")
    return (None if name is None else _relative(folder, origin, name)), name, ""


def _samples(array: Any, rate: Any) -> npt.NDArray[np.float32] | None:
    """Samples, shape (n,) or (channels, n); None for anything else, and where the rate is not a whole number of Hz."""
    if array is None or not isinstance(rate, int | float) or rate_problem(rate) is not None or rate != int(rate):
        return None
    try:
        samples = np.asarray(array, dtype="<f4")
    except (TypeError, ValueError):
        return None
    return samples if samples.ndim in {1, 2} else None


def _relative(folder: Path, origin: Path, name: str) -> str:
    """A path of a data set in folder `origin`, as seen from `folder`; absolute paths, URLs and no path at all stay."""
    is_path = name.strip() and not Path(name).is_absolute() and URL.match(name) is None
    return os.path.relpath(origin / name, folder) if is_path else name


def _suffix(content: bytes, name: str | None) -> str:
    suffix = next((suffix for start, suffix in AUDIO_STARTS.items() if content.startswith(start)), None)
    written = Path(name).suffix.lower() if name else ""
    return suffix or (written if SUFFIX.fullmatch(written) else ".audio")
