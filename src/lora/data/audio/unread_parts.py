"""Audio that libsndfile leaves out without a word: what follows in files that were joined.

Of a chained Ogg file it reads the first stream, and of an MP3 file as many frames as its Xing header counts.
Formats: RFC 3533 (Ogg); ISO 11172-3 and 13818-3 (MP3), ID3 2.4, and the Xing header of the LAME encoder.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lora.data.audio.ogg import HEADER, MARK

FIRST = 2  # flag of the first page of a stream
TAG = b"ID3"
XING = (b"Xing", b"Info")
HAS_FRAMES, HAS_BYTES = 1, 2  # flags of a Xing header
LAYER_3 = 1
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz by version
KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
JOINED = "the file consists of several ones that were joined, and only the first can be read; encode it again as one"


class _Frame(NamedTuple):
    """A frame of MP3: its version (3: MPEG 1), rate in Hz, length, and place of a Xing header in it (bytes)."""

    version: int
    rate: int
    length: int
    xing: int


def unread_part(path: str) -> str | None:
    """Why a part of a file is not read, and what to do; None for a file that is read as a whole."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as headers.py)
            start = file.read(len(MARK))
            joined = _is_chained(file) if start == MARK else _follows_mp3(file)
    except (OSError, ValueError, struct.error):
        return None
    return JOINED if joined else None


def _is_chained(file: BinaryIO) -> bool:
    """Whether a stream begins after pages of another one; streams that are multiplexed all begin at the start."""
    begun = False
    for flags in _page_flags(file):
        if begun and flags & FIRST:
            return True
        begun = begun or not flags & FIRST
    return False


def _page_flags(file: BinaryIO) -> Iterator[int]:
    place = 0
    while True:
        file.seek(place)
        header = file.read(HEADER.size)
        if len(header) < HEADER.size or not header.startswith(MARK):
            return
        _, _, flags, _, _, _, _, segments = HEADER.unpack(header)
        yield flags
        place += HEADER.size + segments + sum(file.read(segments))


def _follows_mp3(file: BinaryIO) -> bool:
    """Whether two frames of one kind follow the ones that the Xing header counts."""
    size = os.fstat(file.fileno()).st_size
    start = _after_tags(file, 0)
    first = _frame(file, start)
    if first is None:
        return False
    file.seek(start + first.xing)
    name, flags = struct.unpack(">4sI", file.read(8))
    if name not in XING or not flags & HAS_BYTES:
        return False
    file.seek(4 * (flags & HAS_FRAMES), os.SEEK_CUR)
    (length,) = struct.unpack(">I", file.read(4))
    if not 0 < length < size - start:
        return False
    next_place = _after_tags(file, start + length)
    following = _frame(file, next_place)
    second = None if following is None else _frame(file, next_place + following.length)
    return following is not None and second is not None and following[:2] == second[:2]


def _after_tags(file: BinaryIO, place: int) -> int:
    """The byte after all ID3 tags that begin at `place`; their lengths have seven bits per byte."""
    while True:
        file.seek(place)
        head = file.read(10)
        if len(head) < 10 or not head.startswith(TAG) or max(head[6:]) > 127:
            return place
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        place += 10 + length + (10 if head[5] & 0x10 else 0)


def _frame(file: BinaryIO, place: int) -> _Frame | None:
    """The frame of MP3 that begins at `place`; None where there is none."""
    file.seek(place)
    head = file.read(4)
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    bits, rate, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version not in RATES or layer != LAYER_3 or not 0 < bits < 15 or rate == 3:
        return None
    hertz = RATES[version][rate]
    is_first = version == 3
    kilobits = (KILOBITS_1 if is_first else KILOBITS_2)[bits]
    length = (144 if is_first else 72) * 1000 * kilobits // hertz + padding
    is_mono = head[3] >> 6 == 3
    side = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}[is_first, is_mono]
    return _Frame(version, hertz, length, 4 + side)
