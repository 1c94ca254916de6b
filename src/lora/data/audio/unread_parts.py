"""Audio that libsndfile leaves out without a word: what follows in files that were joined, or was cut off.

Of a chained Ogg file and of joined FLAC files it reads the first stream, of an MP3 file as many frames as its Xing
header counts, or as many as the length of the first one lets expect, of a truncated Ogg file the whole pages, and of
WAV, AU and CAF files the bytes that their header counts.
Formats: RFC 3533 (Ogg); RFC 9639 (FLAC); ISO 11172-3 and 13818-3 (MP3), ID3 1 and 2.4, APE 2, and the Xing
header of the LAME encoder.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lora.data.audio.ogg import HEADER, LAST, MARK
from lora.data.audio.promised_length import samples_place

FIRST = 2  # flag of the first page of a stream
TAG = b"ID3"
OLD_TAG, OLD_TAG_LENGTH = b"TAG", 128  # ID3 1, which ends a file
TAGS = 100  # examined one after the other
APE = struct.Struct("<8sIIII8x")  # header: mark, version, length of the rest, fields, flags
APE_MARK, IS_APE_HEADER = b"APETAGEX", 1 << 29
XING = (b"Xing", b"Info")
HAS_FRAMES, HAS_BYTES = 1, 2  # flags of a Xing header
LAYER_3 = 1
VERSION_1 = 3
FRAME_1, FRAME_2 = 1152, 576  # samples of a frame, of version 1 and of the others
PADDING = 4  # frames or less that encoders add, which are not returned
RATES = {VERSION_1: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}  # Hz by version
KILOBITS_1 = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
KILOBITS_2 = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
FLAC = b"fLaC"
FLAC_STREAM = FLAC + b"\0\0\0\x22"  # and the header of its first block, which always has 34 bytes
# Files of which libsndfile reads the samples that the header counts; WAV and AIFF files that were joined it refuses.
COUNTED = (b"RIFF", b"RF64", b"FORM", b".snd", b"dns.", b"caff")
LARGE = 0.25  # of the samples of such a file: what follows them may be tags, and is audio where it is none and larger
FOLLOWING = 65_536  # bytes of it that are examined
TAGS_OF_OTHERS = (TAG, OLD_TAG, APE_MARK[:4])
FRAMES = 5000  # examined, two to four minutes of audio
JOINED = "the file consists of several ones that were joined, and only the first can be read; encode it again as one"
UNCOUNTED = "an MP3 file of variable bit rate that does not say its length (no Xing header); encode it again"
MISCOUNTED = "the file is damaged: less can be read than the Xing header of this MP3 file counts; encode it again"
NO_PAGE = "the file is damaged: after byte {:,} no page of Ogg begins where one should; replace it, or encode it again"
SHORT_HEADER = (
    "the header of the file counts {:,} bytes of audio, and {:,} more follow that are neither tags nor chunks; "
    "write it again (`sox --ignore-length OLD NEW`)"
)
CUT_OFF = "the file is truncated: it ends within a page of Ogg; replace it, or encode what is left of it again"


class _Frame(NamedTuple):
    """A frame of MP3: its version (3: MPEG 1), rate in Hz, length and place of a Xing header (bytes), bit rate."""

    version: int
    rate: int
    length: int
    xing: int
    kilobits: int


def unread_part(path: str, samples: int, *, whole: bool = True) -> str | None:
    """Why a part of a file is not read, by its headers, and what to do; None for a file that is read as a whole.

    Args:
        path: the file.
        samples: of each channel, as libsndfile counts them.
        whole: whether all of it is needed; a piece before the place where a file was cut off is sound.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123 (as headers.py)
            start = file.read(len(MARK))
            if start == MARK:
                return _unread_pages(file, whole)
            if start in COUNTED:
                return _unread_samples(file, start)
            return _unread_mp3(file, samples)
    except (OSError, ValueError, struct.error):
        return None


def unread_flac(path: str) -> str | None:
    """Why a part of a FLAC file is not read; reads the file, and so is for files that are decoded anyway."""
    with open(path, "rb") as file:  # noqa: PTH123 (as headers.py)
        start = _after_tags(file, 0)
        file.seek(start)
        if file.read(len(FLAC)) != FLAC:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return JOINED if content.find(FLAC_STREAM, start + len(FLAC)) > 0 else None


def _unread_pages(file: BinaryIO, whole: bool) -> str | None:
    """What is wrong where a stream begins after pages of another one; multiplexed ones all begin at the start.

    Other bytes may follow the last page of a stream, as tags do, but none of its other pages.
    """
    size = os.fstat(file.fileno()).st_size
    begun = False
    flags, end = 0, 0
    for flags, end in _pages(file):
        if begun and flags & FIRST:
            return JOINED
        if whole and end > size:
            return CUT_OFF
        begun = begun or not flags & FIRST
    return NO_PAGE.format(end) if whole and end < size and not flags & LAST else None


def _pages(file: BinaryIO) -> Iterator[tuple[int, int]]:
    """The flags of each page and the byte after it, which is beyond the end of a file that was cut off."""
    place = 0
    while True:
        file.seek(place)
        header = file.read(HEADER.size)
        if len(header) < HEADER.size or not header.startswith(MARK):
            return
        _, _, flags, _, _, _, _, segments = HEADER.unpack(header)
        place += HEADER.size + segments + sum(file.read(segments))
        yield flags, place


def _unread_samples(file: BinaryIO, mark: bytes) -> str | None:
    """What is wrong where another file, or more samples, follow those that the header counts.

    Chunks may follow, whose names are printable, and zeros, which fill up a block. The byte that makes a length even is
    missing in some files.
    """
    place = samples_place(file)
    if place is None or place[1] <= 0:
        return None
    start, length = place
    file.seek(start + length)
    following = file.read(FOLLOWING)
    names = [following[:4], following[length % 2 :][:4]]
    if mark in names:
        return JOINED
    rest = os.fstat(file.fileno()).st_size - start - length
    if rest <= LARGE * length:
        return None
    is_known = any(name.startswith(TAGS_OF_OTHERS) or all(32 <= byte < 127 for byte in name) for name in names)
    return SHORT_HEADER.format(length, rest) if not is_known and any(following) else None


def _unread_mp3(file: BinaryIO, samples: int) -> str | None:
    """What is wrong where two frames of one kind follow those that the Xing header counts, or nothing counts them.

    Without a count, libsndfile expects that all frames are as long as the first. So it does where the frame of the
    Xing header is damaged.
    """
    size = os.fstat(file.fileno()).st_size
    start = _after_tags(file, 0)
    first = _frame(file, start)
    if first is None:
        return None
    file.seek(start + first.xing)
    name, flags, frames, length = struct.unpack(">4sIII", file.read(16))
    # An encoder writes zero first, and the number of frames at its end, unless it is killed.
    if name not in XING or not flags & HAS_FRAMES or not frames:
        return UNCOUNTED if _varies(file, start, first) else None
    if samples < (frames - PADDING) * (FRAME_1 if first.version == VERSION_1 else FRAME_2):
        return MISCOUNTED
    if not flags & HAS_BYTES:
        return None
    if not 0 < length < size - start:
        return None
    next_place = _after_tags(file, start + length)
    following = _frame(file, next_place)
    second = None if following is None else _frame(file, next_place + following.length)
    return JOINED if following is not None and second is not None and following[:2] == second[:2] else None


def _varies(file: BinaryIO, place: int, first: _Frame) -> bool:
    """Whether another bit rate than that of the first frame follows it."""
    length = first.length
    for _ in range(FRAMES):
        place += length
        frame = _frame(file, place)
        if frame is None or frame.kilobits != first.kilobits:
            return frame is not None
        length = frame.length
    return False


def _after_tags(file: BinaryIO, place: int) -> int:
    """The byte after all tags that begin at `place`, ID3 of both versions and APE, as joined files have them."""
    for _ in range(TAGS):
        length = _tag_length(file, place)
        if length == 0:
            break
        place += length
    return place


def _tag_length(file: BinaryIO, place: int) -> int:
    """Bytes of the tag that begins at `place`; 0 where none does. Lengths of ID3 2 have seven bits per byte."""
    file.seek(place)
    head = file.read(APE.size)
    if head.startswith(OLD_TAG):
        return OLD_TAG_LENGTH
    if head.startswith(APE_MARK) and len(head) == APE.size:
        _, _, length, _, flags = APE.unpack_from(head)
        return APE.size + length if flags & IS_APE_HEADER else 0
    if len(head) < 10 or not head.startswith(TAG) or max(head[6:10]) > 127:
        return 0
    length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
    return 10 + length + (10 if head[5] & 0x10 else 0)


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
    is_first = version == VERSION_1
    kilobits = (KILOBITS_1 if is_first else KILOBITS_2)[bits]
    length = (144 if is_first else 72) * 1000 * kilobits // hertz + padding
    is_mono = head[3] >> 6 == 3
    side = {(True, True): 17, (True, False): 32, (False, True): 9, (False, False): 17}[is_first, is_mono]
    return _Frame(version, hertz, length, 4 + side, kilobits)
