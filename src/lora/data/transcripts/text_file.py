"""Lines of a transcript file, whatever its encoding and line ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lora.records.base import UserError
from lora.records.transcript_formats import TRANSCRIPT_FORMATS


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end). Raises UserError for a file that is not UTF-8 text."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the transcripts: {error.strerror}") from None
    if content.startswith(b"\x1f\x8b"):
        raise UserError(f"{path}: the transcripts are compressed with gzip; decompress them first")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path}: the transcripts are UTF-16; save them as UTF-8")
    if b"\0" in content[:4096]:
        raise UserError(f"{path}: not a text file; transcripts are one of {', '.join(TRANSCRIPT_FORMATS)}")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # line ends of classic Mac OS
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            yield number, raw.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{path}:{number}: broken line: not UTF-8") from None
