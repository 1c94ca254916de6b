"""Lines of a transcript file, whatever its encoding and line ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lora.data.existing_files import require_file
from lora.data.text_encoding import mark_length, text_content
from lora.records.base import UserError
from lora.records.transcript_formats import TRANSCRIPT_FORMATS


def text_lines(path: Path, notes: list[str] | None = None) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end).

    Args:
        path: the file.
        notes: where to add its encoding if it is not UTF-8.

    Raises:
        UserError: for a file that is not text, and for a line that is not in the encoding of the others.
    """
    require_file(path, "transcripts")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the transcripts: {error.strerror}") from None
    if content.startswith(b"\x1f\x8b"):
        raise UserError(f"{path}: the transcripts are compressed with gzip; decompress them first")
    content = text_content(path, content, f"transcripts are one of {', '.join(TRANSCRIPT_FORMATS)}", notes)
    for number, raw in enumerate(_split_lines(content), start=1):
        if b"\0" in raw:
            raise UserError(
                f"{path}:{number}: broken line: null bytes, which a full disk or a machine that stopped leaves; "
                "write the transcripts again"
            )
        try:
            yield number, raw[mark_length(raw) :].rstrip(b"\r").decode("utf-8")  # files that were joined leave marks
        except UnicodeDecodeError:
            raise UserError(
                f"{path}:{number}: broken line: not in the encoding of the other lines: {raw!r:.80}; correct it, and "
                "save the file as UTF-8"
            ) from None


def _split_lines(content: bytes) -> Iterator[bytes]:
    """The lines of `content.split(b"\\n")` one after the other, which are never in memory together."""
    start = 0
    while (end := content.find(b"\n", start)) >= 0:
        yield content[start:end]
        start = end + 1
    yield content[start:]
