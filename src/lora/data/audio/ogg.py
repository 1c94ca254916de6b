"""The length of an Ogg Vorbis file, thirty times as fast as by libsndfile, or Opus file, from its first and last page.

A page says how many samples end with it (its granule position), so that of a file which begins at sample 0 and whose
last page is that of its stream, that page has the length, whatever is damaged between. Every other file is left to
libsndfile: chained and multiplexed streams, truncated ones, and pieces that were cut out of a longer stream.
Formats: RFC 3533 (Ogg), the Vorbis I specification, section 4.2 and appendix A, RFC 7845 (Opus in Ogg) and RFC 6716,
section 3 (packets of Opus).
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from lora.data.audio.limits import UNKNOWN_FRAMES, frames_problem, rate_problem

MARK = b"OggS"
HEADER = struct.Struct("<4sBBqIIIB")  # mark, version, flags, granule position, serial, number, checksum, segments
LONGEST_PAGE = HEADER.size + 255 + 255 * 255  # bytes
LAST = 4  # flag of the last page of a stream
HEADERS = 65_536  # bytes of a file that contain its headers and the beginning of its first page of audio
VORBIS = struct.Struct("<7sIBI12xB")  # of the identification packet: kind, version, channels, rate, block sizes
VORBIS_KIND = b"\x01vorbis"
OPUS_KIND, PRE_SKIP, OPUS_RATE = b"OpusHead", 10, 48_000
# Samples of a frame by the configuration of its packet: SILK, both, CELT.
OPUS_FRAMES = (*(3 * (480, 960, 1920, 2880)), *(2 * (480, 960)), *(4 * (120, 240, 480, 960)))
CONTINUES = 255  # length of a segment whose packet has another one


class _Page(NamedTuple):
    start: int  # byte of its mark
    body: int  # byte after its header
    end: int
    flags: int
    samples: int  # that end with it; -1 where no packet does
    serial: int
    packets: int  # that end in it


class _Stream(NamedTuple):
    head: bytes  # of the file
    first: _Page
    audio: _Page  # the first with audio
    last: _Page


def vorbis_seconds(file: BinaryIO, size: int) -> float | None:
    """Duration in seconds of an open Ogg file of `size` bytes; None where libsndfile has to read it.

    Raises:
        struct.error, IndexError: for a file that ends within a header.
    """
    stream = _only_stream(file, size)
    if stream is None:
        return None
    kind, version, _, rate, blocks = VORBIS.unpack_from(stream.head, stream.first.body)
    if kind != VORBIS_KIND or version != 0 or rate_problem(rate) is not None:
        return None
    # Each packet but the first adds at most half of a long block.
    if stream.audio.samples > (stream.audio.packets - 1) * (1 << (blocks >> 4)) // 2:
        return None
    return float(stream.last.samples / rate)


def opus_seconds(path: str) -> float | None:
    """Duration in seconds of an Ogg Opus file; None for another file, and where its pages do not say it.

    libsndfile counts what can be decoded, which is less where a page is damaged.
    """
    try:
        with Path(path).open("rb") as file:
            stream = _only_stream(file, Path(path).stat().st_size)
            if stream is None or stream.head[stream.first.body :][: len(OPUS_KIND)] != OPUS_KIND:
                return None
            (skipped,) = struct.unpack_from("<H", stream.head, stream.first.body + PRE_SKIP)
            begins_at_zero = stream.audio.samples <= _opus_samples(stream.head, stream.audio)
    except (OSError, struct.error, IndexError):
        return None
    return max(0, stream.last.samples - skipped) / OPUS_RATE if begins_at_zero else None


def _opus_samples(content: bytes, page: _Page) -> int:
    """Samples of the packets of a page, at 48 kHz, if all are as long as most of them: some may be damaged."""
    lengths: Counter[int] = Counter()
    start, place = page.body, page.body
    for length in content[page.start + HEADER.size : page.body]:
        place += length
        if length < CONTINUES:
            kind, frames = content[start] >> 3, (1, 2, 2, content[start + 1] & 63)[content[start] & 3]
            lengths[frames * OPUS_FRAMES[kind]] += 1
            start = place
    return page.packets * max(lengths, key=lengths.__getitem__, default=0)


def _only_stream(file: BinaryIO, size: int) -> _Stream | None:
    """The stream of a file that consists of one, up to its last page; None for another file."""
    file.seek(0)
    head = file.read(HEADERS)
    pages = _pages(head)
    first = next(pages, None)
    audio = next((page for page in pages if page.samples > 0), None)
    file.seek(max(0, size - LONGEST_PAGE))
    tail = file.read(LONGEST_PAGE)
    last = _page(tail, tail.rfind(MARK))
    if first is None or audio is None or last is None:
        return None
    is_whole = last.flags & LAST and last.end <= len(tail) and last.serial == first.serial
    usable = 0 < last.samples < UNKNOWN_FRAMES and frames_problem(last.samples, size) is None
    return _Stream(head, first, audio, last) if is_whole and usable else None


def _pages(content: bytes) -> Iterator[_Page]:
    place = 0
    while (page := _page(content, place)) is not None:
        yield page
        place = page.end


def _page(content: bytes, place: int) -> _Page | None:
    """The page that starts at a byte; None where no page header does."""
    if place < 0 or len(content) < place + HEADER.size:
        return None
    mark, version, flags, samples, serial, _, _, segments = HEADER.unpack_from(content, place)
    body = place + HEADER.size + segments
    lengths = content[place + HEADER.size : body]
    if mark != MARK or version != 0 or len(lengths) < segments:
        return None
    packets = segments - lengths.count(255)
    return _Page(place, body, body + sum(lengths), flags, samples, serial, packets)
