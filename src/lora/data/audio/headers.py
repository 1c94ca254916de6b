"""Durations of audio files from their headers, without decoding them.

Common WAV, FLAC and Ogg Vorbis headers are parsed here, several times faster than by libsndfile; every other file
(another container or codec, a length that is missing or does not fit the file) is opened with libsndfile, and decoded
where only that says how long it is.
Formats: "Multimedia Programming Interface and Data Specifications 1.0" (IBM, Microsoft 1991) and RFC 9639.
"""

from __future__ import annotations

import multiprocessing
import os
import struct
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from lora.data.audio.blocks import counted_seconds
from lora.data.audio.library_errors import reason_of
from lora.data.audio.limits import UNKNOWN_FRAMES, frames_problem, rate_problem, seconds_problem
from lora.data.audio.ogg import MARK, vorbis_seconds
from lora.data.audio.promised_length import missing_share
from lora.data.audio.unread_parts import LARGE, unread_part

if TYPE_CHECKING:
    import soundfile

# Starting a worker process takes about half a second, in which one process reads some thousand headers.
PARALLEL_FROM = 4000
CHUNK = 256
MISSING_SHARE = 0.01  # of a file's frames that may be missing, because codecs round the end
HEADERLESS = {".gsm", ".vox"}  # suffixes of telephone speech
TEXT = 100  # bytes that are examined: a page of a server and a pointer of git-lfs are text
TEXT_BYTES = b"\t\n\r" + bytes(range(32, 127))


def header_seconds(path: str) -> float | str:
    """Duration in seconds by libsndfile, or the reason why the header cannot be read."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            missing = missing_share(path)
            if (problem := header_problem(path, file)) is not None:
                return f"unreadable audio: {problem}"
            if missing > MISSING_SHARE:
                return f"unreadable audio: the file is truncated: {missing:.0%} of the audio in its header is missing"
            if (unread := unread_part(path, file.frames)) is not None:
                return f"unreadable audio: {unread}"
            if file.frames >= UNKNOWN_FRAMES:
                return counted_seconds(path)
            return float(file.frames) / float(file.samplerate)
    except Exception as error:  # whatever a damaged file leads to costs this file only
        return f"unreadable audio: {reason_of(error)}"


def header_problem(path: str | Path, file: soundfile.SoundFile) -> str | None:
    """What is impossible about the header of an open file; None for a usable header."""
    size = os.stat(path).st_size  # noqa: PTH116 (called per file)
    problem = rate_problem(file.samplerate) or frames_problem(file.frames, size)
    if problem is None and file.frames < UNKNOWN_FRAMES:
        problem = seconds_problem("duration", file.frames / file.samplerate)
    if problem is None and file.format == "RAW" and not _may_be_raw(Path(path)):
        problem = "it has no header of an audio file"
    return problem


def _may_be_raw(path: Path) -> bool:
    """Whether a file without a header may contain samples, for which libsndfile takes it by its name."""
    with path.open("rb") as file:
        start = file.read(TEXT)
    return path.suffix.lower() in HEADERLESS and bool(start.translate(None, TEXT_BYTES))


def read_headers(paths: Sequence[str], workers: int | None = None) -> list[float | str]:
    """Duration in seconds of every file, in order, or the reason why its header cannot be read.

    libsndfile reads many files in parallel processes, not in threads: it is called under the interpreter lock, and
    threads were slower.

    Args:
        paths: audio files.
        workers: processes; None uses one per core, at most 8.
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


HEAD = 4096  # bytes that contain the header, unless a picture or a long comment is in it
PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def plain_seconds(path: str) -> float | None:
    """Duration in seconds; None where the file cannot be opened or libsndfile has to read its header."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (a Path takes longer than reading)
            head = file.read(HEAD)
            if head.startswith(b"fLaC"):
                return _flac_seconds(head, os.fstat(file.fileno()).st_size)
            if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
                return _wav_seconds(head, os.fstat(file.fileno()).st_size)
            if head.startswith(MARK):
                return vorbis_seconds(file, os.fstat(file.fileno()).st_size)
    except (
        OSError,
        ValueError,
        IndexError,
        struct.error,
    ):  # missing, a path with a null byte, truncated within its header
        pass
    return None


def _flac_seconds(head: bytes, size: int) -> float | None:
    """STREAMINFO is always the first block: from byte 18, 20 bits of rate, 8 of channels and depth, 36 of samples."""
    kind = head[4] & 0x7F
    packed = int.from_bytes(head[18:26], "big")
    rate = packed >> 44
    samples = packed & (2**36 - 1)
    valid = kind == 0 and samples and len(head) > 42 and rate_problem(rate) is None
    return samples / rate if valid and frames_problem(samples, size) is None else None


def _wav_seconds(head: bytes, size: int) -> float | None:
    """Read chunks up to `data`, whose length must be a multiple of a frame and fit into the file of `size` bytes."""
    place = 12
    rate = 0
    frame = 0  # bytes
    while True:
        name, length = struct.unpack_from("<4sI", head, place)
        place += 8
        if name == b"fmt ":
            tag, channels, rate, _, frame, bits = struct.unpack_from("<HHIIHH", head, place)
            if tag == EXTENSIBLE:
                tag = struct.unpack_from("<H", head, place + 24)[0]
            if tag not in (PCM, FLOAT) or frame != channels * bits // 8:
                return None
        elif name == b"data":
            valid = frame and length and length % frame == 0 and place + length <= size and rate_problem(rate) is None
            if size - place - length > LARGE * length:
                return None
            return length / frame / rate if valid else None
        place += length + length % 2
