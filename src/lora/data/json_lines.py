"""A file of JSON lines, read anew at each iteration: a million rows are never in memory together.

Only plain files are read so: one row per line, in UTF-8, not compressed. `lora.data.manifest_lines` reads every other
one as a whole.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from lora.data.json_rows import DECODER, Parsed, is_document
from lora.data.text_encoding import MARKS, NOT_TEXT, mark_length, other_file

BLOCK = 2**20  # bytes
HALF_A_CHARACTER = "broken line: half of a character (a lone surrogate, as from a truncated emoji)"
MARK_INSIDE = "broken line: begins with a byte order mark, as from files that were joined; remove the mark"


class JsonLines:
    """The rows of a plain file of JSON lines, each with its line number, or the reason why it is broken.

    Attributes:
        path: the file.
        start: its first byte after a mark of UTF-8.
    """

    def __init__(self, path: Path, start: int = 0) -> None:
        self.path = path
        self.start = start

    def __iter__(self) -> Iterator[Parsed]:
        with self.path.open("rb") as file:
            file.seek(self.start)
            for number, line in enumerate(file, start=1):
                if line.strip():
                    row = parsed_line(line)
                    if row is not None:
                        yield number, row


def parsed_line(line: bytes) -> dict[str, Any] | str | None:
    """The row of a line, the reason why it is broken, or None for a line of white space."""
    try:
        row = from_json(line, cache_strings="keys")  # twice as fast as `json`, which words the errors
    except ValueError:
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            return NOT_TEXT
        return _row_or_reason(text) if text.strip() else None
    if not isinstance(row, dict):
        return _no_object(row)
    written = line.count(b'":') + line.count(b'" :')
    if written > len(row) and written > _keys(row):  # keys are repeated, or a text looks like one
        return _row_or_reason(line.decode())
    return row


def json_row(line: str) -> dict[str, Any] | str:
    """The row of a line of text, or the reason why it is broken."""
    row = parsed_line(line.encode())
    return _row_or_reason(line) if row is None else row


def _row_or_reason(line: str) -> dict[str, Any] | str:
    """As `json_row`, for a line that is broken, or that only `json` reads."""
    try:
        row = DECODER.decode(line)
    except (ValueError, RecursionError) as error:
        if line.startswith("\N{ZERO WIDTH NO-BREAK SPACE}"):
            return MARK_INSIDE
        is_python = line.lstrip().startswith("{'")
        return f"broken line: not JSON: {error}" + ("; write it with `json.dumps`" if is_python else "")
    if "\\ud" in line.lower() and not writable(row):
        return HALF_A_CHARACTER
    return row if isinstance(row, dict) else _no_object(row)


def _keys(value: Any) -> int:
    """The number of keys in a value and in all that it contains."""
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))
    return sum(map(_keys, value)) if isinstance(value, list) else 0


def _no_object(value: object) -> str:
    return f"broken line: a JSON {type(value).__name__}, not an object"


def writable(row: Any) -> bool:
    """Whether a parsed line can be encoded as UTF-8: JSON escapes can express lone surrogates."""
    try:
        json.dumps(row, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def plain_json_lines(path: Path) -> JsonLines | None:
    """The rows of a plain file of JSON lines; None for every other file, and for one that cannot be opened."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            block = file.read(BLOCK)
            start = mark_length(block)
            if not _begins_plainly(block[start:]):
                return None
            while block:
                decoder.decode(block)
                block = file.read(BLOCK)
            decoder.decode(b"", final=True)
    except (OSError, UnicodeDecodeError):
        return None
    return JsonLines(path, start)


def _begins_plainly(start: bytes) -> bool:
    """Whether a file begins with a row in one line, neither compressed nor in wide characters."""
    whole_line = b"\n" in start.lstrip()
    is_text = b"\0" not in start and not start.startswith(tuple(MARKS)) and other_file(start) is None
    return whole_line and is_text and not is_document(start)
