"""Lengths of audio files from their headers, without decoding them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from lora.data.audio.plain_headers import plain_seconds

# A worker process takes about half a second to start, in which one process reads some thousand headers.
PARALLEL_FROM = 4000
CHUNK = 256


def header_seconds(path: str) -> float | str:
    """Length in seconds, or the reason why the header cannot be read."""
    import soundfile

    try:
        info = soundfile.info(path)
    except (soundfile.LibsndfileError, OSError, RuntimeError) as error:
        return f"unreadable audio: {' '.join(str(error).split()) or type(error).__name__}"
    if info.samplerate <= 0:
        return "unreadable audio: no sampling rate in the header"
    return float(info.frames) / float(info.samplerate)


def read_headers(paths: Sequence[str], workers: int | None = None) -> list[float | str]:
    """The length in seconds of every path, in order, or the reason why its header cannot be read.

    Plain WAV and FLAC are read right here. The others go through libsndfile, many of them in parallel processes and
    not in threads: libsndfile is called under the interpreter lock, and threads made it slower.
    """
    plain = [plain_seconds(path) for path in paths]
    others = iter(_by_library([path for path, seconds in zip(paths, plain, strict=True) if seconds is None], workers))
    return [next(others) if seconds is None else seconds for seconds in plain]


def _by_library(paths: Sequence[str], workers: int | None) -> list[float | str]:
    workers = workers or min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1, 8)
    if len(paths) < PARALLEL_FROM or workers == 1:
        return [header_seconds(path) for path in paths]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        return list(pool.map(header_seconds, paths, chunksize=CHUNK))
