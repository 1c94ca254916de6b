"""The lines of a manifest file: JSON lines, CSV or TSV, each with its line number, or the reason why it is broken.

Files compressed with gzip are decompressed. A JSON file may also be one list or object over several lines. The
separator of CSV and TSV is that of the header: a comma, semicolon, tab or bar.
"""

from __future__ import annotations

import csv
import re
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

from lora.data.existing_files import decompressed, is_file, require_file
from lora.data.json_lines import HALF_A_CHARACTER, parsed_line, plain_json_lines, writable
from lora.data.json_rows import Parsed, document_rows, is_document
from lora.data.text_encoding import NOT_TEXT, mark_length, text_content
from lora.records.base import UserError

JSON_SUFFIXES = (".jsonl", ".json", ".ndjson")
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
MOST_COLUMNS = 10_000
SEPARATOR_FROM = 5_000  # characters of a header
GZIP = b"\x1f\x8b"
ESCAPED_QUOTE = re.compile(rb'\\"[^,;|"\r\n]')  # a backslash at the end of a quoted cell is a part of it
NO_LINE = "\udcff"  # stands for a line that is no text; UTF-8 has no such character
ROWS_IN_QUOTES = "a quote begins a cell that goes over the rows below; remove the quote or double it"
EXPECTED = "a manifest is JSON lines, CSV or TSV"


class Rows:
    """Rows that are parsed anew at each iteration, so that only the text of their file stays in memory."""

    def __init__(self, parse: Callable[[], Iterator[Parsed]]) -> None:
        self._parse = parse

    def __iter__(self) -> Iterator[Parsed]:
        return self._parse()


def text_suffix(path: Path) -> str:
    """The suffix of a file in small letters, before any `.gz`."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()


def text_kind(path: Path) -> str:
    """csv, tsv or jsonl, by the suffix before any `.gz`."""
    suffix = text_suffix(path)
    return suffix.removeprefix(".") if suffix in {".csv", ".tsv"} else "jsonl"


def lines_as(kind: str, path: Path, notes: list[str] | None = None) -> Iterable[Parsed]:
    """(line number from 1, row or the reason why it is broken) of every line that is not empty.

    Args:
        kind: csv, tsv or jsonl.
        path: the file.
        notes: receives what a person should know about how the file was read, such as its encoding.

    Returns:
        The rows, which can be iterated again.

    Raises:
        UserError: where the file as a whole cannot be read.
    """
    if kind == "jsonl" and is_file(path) and (lines := plain_json_lines(path)) is not None:
        return lines
    content = _content(path, notes)
    if kind == "jsonl":
        return Rows(lambda: _json_rows(content))
    usual = "\t" if kind == "tsv" else ","
    separator = separator_of(content, usual)
    if separator != usual and notes is not None:
        notes.append(f"its columns are separated by {SEPARATORS[separator]}")
    if separator != "\t" and notes is not None and ESCAPED_QUOTE.search(content) is not None:
        notes.append(
            'its quotes have backslashes (\\"), which stay in the texts, and cost rows with quotes around a cell; '
            "write it again with doubled quotes (pandas: without `doublequote=False`)"
        )
    return Rows(lambda: _tsv_rows(content) if separator == "\t" else _csv_rows(content, separator))


def separator_of(content: bytes, usual: str) -> str:
    """The separator of a table by its header; `usual` where the header does not decide."""
    header = next((line for _, line in _text_lines(content) if line is not None and line.strip()), "")
    return separator_in(header, usual)


def separator_in(header: str, usual: str) -> str:
    """As `separator_of`, for the header itself."""
    if usual in header:
        return usual
    try:
        return csv.Sniffer().sniff(header[:SEPARATOR_FROM], "".join(SEPARATORS)).delimiter
    except csv.Error:
        return usual


def text_lines(
    path: Path, notes: list[str] | None = None, expected: str = EXPECTED
) -> Iterator[tuple[int, str | None]]:
    """(line number from 1, line) of any text file; None for a line that is no text. `notes` as for `lines_as`.

    `expected` says what the file should be, for the error about one that is not text.
    """
    return _text_lines(_content(path, notes, expected))


def _content(path: Path, notes: list[str] | None = None, expected: str = EXPECTED) -> bytes:
    """The text of a file as UTF-8."""
    require_file(path, "manifest")
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"{path}: no such manifest; correct the path") from None
    except OSError as error:
        raise UserError(f"{path}: cannot read the manifest: {error.strerror}") from None
    if content.startswith(GZIP):
        try:
            content = decompressed(path)
        except (OSError, EOFError, zlib.error) as error:
            raise UserError(f"{path}: incomplete or damaged gzip file: {error}") from None
    return text_content(path, content, expected, notes)


def _text_lines(content: bytes) -> Iterator[tuple[int, str | None]]:
    """Split at line feeds only: str.splitlines would also split at U+2028, which JSON strings may contain.

    A line with null bytes is no text: a disk that was full, or a machine that stopped, leaves them. Files that were
    joined (`cat`) leave marks of UTF-8 at the beginning of lines, which would be a part of their first words.
    """
    for number, raw in enumerate(content.split(b"\n"), start=1):
        try:
            yield number, None if b"\0" in raw else raw[mark_length(raw) :].removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            yield number, None


def _json_rows(content: bytes) -> Iterator[Parsed]:
    if is_document(content):
        is_one_line = b"\n" not in content.strip()
        try:
            text, unwritable = content.decode(), HALF_A_CHARACTER
        except UnicodeDecodeError:
            text, unwritable = content.decode(errors="surrogateescape"), NOT_TEXT
        for place, (number, row) in enumerate(document_rows(text), start=1):
            yield place if is_one_line else number, row if writable(row) else unwritable
        return
    for number, line in enumerate(content.split(b"\n"), start=1):
        parsed = parsed_line(line) if line.strip() else None
        if parsed is not None:
            yield number, parsed


def header_problem(header: list[str]) -> str | None:
    """Why the rows below a header cannot be read, and what to do: two columns of one name, or far too many."""
    if len(header) > MOST_COLUMNS:
        return f"the header has {len(header):,} columns; expected at most {MOST_COLUMNS:,}, and one row per line"
    seen: set[str] = set()
    for name in filter(None, header):  # spreadsheets write empty columns, which nobody reads
        if name in seen:
            return f"the header has two columns named {name!r}; rename one"
        seen.add(name)
    return None


def contains_rows(header: list[str], cells: list[str], separator: str) -> bool:
    """Whether a cell of a CSV row goes over the rows below it, because quotes in it were letters and no quotes.

    A cell may have several lines. Here they have as many separators as the ends and beginnings of rows have, and the
    first cells of these rows are single words, as ids and paths are; with two columns, where one comma is enough, they
    are also like that of the row itself.
    """
    last = len(header) - 1
    if last < 1 or len(cells) != len(header):
        return False
    for place, cell in enumerate(cells):
        lines = cell.split("\n")
        if len(lines) > 1:
            expected = [last - place, *[last] * (len(lines) - 2), place]
            names = [line.split(separator, 1)[0] for line in (lines[0] if place == 0 else cells[0], *lines[1:])]
            are_words = all(len(name.split()) == 1 for name in names[1:])
            alike = last > 1 or len(set(map(_shape, names))) == 1
            return are_words and alike and [line.count(separator) for line in lines] == expected
    return False


def _shape(name: str) -> str:
    """What names of one table have in common: the suffix of their files, else all but their digits."""
    return PurePath(name).suffix or re.sub(r"\d+", "0", name)


def _tsv_rows(content: bytes) -> Iterator[Parsed]:
    """Quotes have no meaning inside a TSV cell, so that an unbalanced quote cannot swallow the rows after it."""
    header: list[str] | None = None
    for number, line in _text_lines(content):
        if line is None:
            yield number, NOT_TEXT
        elif line.strip():
            cells = [unquoted(cell) for cell in line.split("\t")]
            if header is None:
                header = [cell.strip() for cell in cells]
            else:
                yield number, _table_row(header, cells)


def unquoted(cell: str) -> str:
    """A TSV cell without quotes around it, unless they are those of words."""
    inner = cell[1:-1]
    quoted = len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in inner.replace('""', "")
    return inner.replace('""', '"') if quoted else cell


class _Lines:
    """Lines that a reader takes one by one, and that can be given back after a broken row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self._row: list[str] = []
        self.number = 0  # of the last line that was taken

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._returned.popleft() if self._returned else next(self._lines)
        self._row.append(line)
        self.number += 1
        return line

    def start_row(self) -> int:
        """Number of the next line, which begins a row."""
        self._row = []
        return self.number + 1

    def give_back(self) -> None:
        """Return all lines of the row but the first: an unbalanced quote in it had made them a part of its row."""
        rest = self._row[1:]
        self._returned.extendleft(reversed(rest))
        self.number -= len(rest)


def _csv_rows(content: bytes, separator: str) -> Iterator[Parsed]:
    lines = _Lines((NO_LINE if line is None else line) + "\n" for _, line in _text_lines(content))
    spaced = re.match(rf"[^\n]*{re.escape(separator)} ".encode(), content.lstrip()) is not None  # "ID, duration, wav"
    reader = csv.reader(lines, strict=True, delimiter=separator, skipinitialspace=spaced)
    header: list[str] | None = None
    while True:
        start = lines.start_row()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if header is None:
                yield start, f"broken header: {error}"
                return
            yield start, f"broken line: {error}"
            lines.give_back()
            continue
        if not any(cell.strip() for cell in cells):
            continue
        is_text = not any(NO_LINE in cell for cell in cells)
        if header is None and is_text:
            header = [cell.strip() for cell in cells]
            continue
        in_quotes = header is not None and contains_rows(header, cells, separator)
        if header is not None and (in_quotes or len(cells) != len(header)):
            lines.give_back()
        if header is None or not is_text:
            yield start, NOT_TEXT
        elif in_quotes:
            yield start, f"broken line: {ROWS_IN_QUOTES}"
        else:
            yield start, _table_row(header, [cell.replace("\r\n", "\n") for cell in cells])


def _table_row(header: list[str], cells: list[str]) -> dict[str, Any] | str:
    if len(cells) != len(header):
        return f"broken line: {len(cells)} columns where the header has {len(header)}"
    if (problem := header_problem(header)) is not None:
        return problem
    return dict(zip(header, cells, strict=True))
