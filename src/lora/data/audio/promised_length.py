"""Whether a file of uncompressed audio is as long as its header promises.

libsndfile reads a truncated WAV, AIFF, AU, RF64, W64 or SPHERE file without a word up to where it breaks off.
Formats: "Multimedia Programming Interface and Data Specifications 1.0" (WAV), EBU Tech 3306 (RF64), Sony Wave64,
AIFF 1.3, the audio file format of NeXT (AU), Apple's Core Audio Format 1.0, and the SPHERE 2.6 header of NIST.
"""

from __future__ import annotations

import math
import os
import re
import struct
from typing import BinaryIO

CHUNKS = 1000  # looked at before a file is left to libsndfile
# Lengths that programs write which do not know the length: those of a stream (the last of the first range: arecord).
STREAMS = (range(0x7FFFF000, 0x80000001), range(0xFFFFF000, 0x100000000))
SPHERE = b"NIST_1A\n"
SPHERE_SIZES = re.compile(rb"^(sample_count|channel_count|sample_n_bytes) -(?:i|s\d+) (\d{1,12})\s*$", re.MULTILINE)
WAVE64 = b"riff\x2e\x91\xcf\x11"
LONGEST_SPHERE = 65_536  # bytes of a header
Place = tuple[int, int]  # first byte of the samples, and their length in bytes


def missing_share(path: str) -> float:
    """Share of the promised bytes that the file does not have; 0 for whole files and for other formats."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as headers.py)
            size = os.fstat(file.fileno()).st_size
            place = samples_place(file)
    except (OSError, ValueError, struct.error):
        return 0.0
    # Zero, less what precedes the samples in their chunk, is written before the length is known.
    if place is None or place[1] <= 0 or any(place[1] in lengths for lengths in STREAMS):
        return 0.0
    start, length = place
    return max(0.0, 1 - max(0, size - start) / length)


def samples_place(file: BinaryIO) -> Place | None:
    """Where the samples of a file are, by its header; None for other formats. A length below 1 is unknown."""
    file.seek(0)
    head = file.read(40)
    if head[:4] in {b"RIFF", b"RF64", b"RIFX"} and head[8:12] == b"WAVE":
        return in_chunks(file, b"data", ">" if head.startswith(b"RIFX") else "<")
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        place = in_chunks(file, b"SSND", ">")
        return None if place is None else (place[0] + 8, place[1] - 8)  # offset and block size
    if head[:4] in {b".snd", b"dns."}:
        start, length = struct.unpack(">II" if head.startswith(b".snd") else "<II", head[4:12])
        return start, length
    if head.startswith(b"caff"):
        return _in_caf(file)
    if head.startswith(WAVE64):
        return _in_wave64(file)
    if head.startswith(SPHERE):
        start = int(head[8:16])
        file.seek(0)
        sizes = dict(SPHERE_SIZES.findall(file.read(min(start, LONGEST_SPHERE))))
        return (start, math.prod(map(int, sizes.values()))) if len(sizes) == 3 else None
    return None


def in_chunks(file: BinaryIO, wanted: bytes, order: str) -> Place | None:
    """The place of a chunk in a WAV or AIFF file."""
    place, long = 12, 0
    for _ in range(CHUNKS):
        file.seek(place)
        name, length = struct.unpack(f"{order}4sI", file.read(8))
        place += 8
        if name == wanted:
            return place, long or length
        if name == b"ds64":
            long = struct.unpack("<8xQ", file.read(16))[0]
        place += length + length % 2
    return None


def _in_caf(file: BinaryIO) -> Place | None:
    place = 8
    for _ in range(CHUNKS):
        file.seek(place)
        name, length = struct.unpack(">4sq", file.read(12))
        place += 12
        if name == b"data":
            return place, length  # -1 up to the end of the file
        if length < 0:
            return None
        place += length
    return None


def _in_wave64(file: BinaryIO) -> Place | None:
    place = 40
    for _ in range(CHUNKS):
        file.seek(place)
        name, length = struct.unpack("<4s12xQ", file.read(24))  # the length includes these 24 bytes
        if name == b"data":
            return place + 24, length - 24
        if length < 24:
            return None
        place += length + -length % 8
    return None
