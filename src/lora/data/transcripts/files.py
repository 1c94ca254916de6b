"""Files of transcripts that another pipeline wrote: JSON lines, CSV, TSV, Kaldi text, sclite trn or ctm.

The format is the suffix's, or for other suffixes what the first lines look like; a person may name it. Ids stay as they
were written: `lora.data.transcripts.row_matching` finds their rows.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from lora.data.manifest_lines import repeated, writable
from lora.data.transcripts import ctm, trn
from lora.data.transcripts.columns import ExternalTranscript, from_columns, known_columns
from lora.records.base import UserError

SUFFIXES = {".jsonl": "jsonl", ".json": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".trn": "trn",
            ".ctm": "ctm"}  # fmt: skip
FORMATS = ("jsonl", "csv", "tsv", "text", "trn", "ctm")
LOOKED_AT = 20  # lines that tell the format


@dataclass(frozen=True)
class TranscriptFile:
    """What a file holds: utterances, or of a ctm the timed words of every recording (in their order)."""

    format: str
    utterances: list[ExternalTranscript] = field(default_factory=list)
    words: dict[str, list[ctm.Word]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_transcript_file(
    path: Path, named: str | None = None, columns: Mapping[str, str] | None = None
) -> TranscriptFile:
    """`named` is the format a person gave, `columns` what they call id, hypothesis and reference.

    Raises UserError naming file and line of what cannot be read, or the columns that are missing.
    """
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: transcripts must be a file, not a folder or a pipe; save them to one first")
    kind = named or SUFFIXES.get(path.suffix.lower()) or guess(path)
    if columns and kind not in {"jsonl", "csv", "tsv"}:
        raise UserError(f"{path}: columns were named, and a file of the format {kind} has none; name another format")
    if kind == "ctm":
        words, told = ctm.read_words(path, text_lines(path))
        return TranscriptFile(kind, words=words, notes=told)
    if kind not in {"trn", "text"}:
        return TranscriptFile(kind, _once_each(path, list(from_columns(path, _records(path, kind), columns or {}))))
    notes: list[str] = []
    lines = text_lines(path)
    found = trn.read_lines(path, lines, notes) if kind == "trn" else kaldi_lines(lines)
    heard = [ExternalTranscript((line.id,), line.words, line=line.number) for line in found]
    return TranscriptFile(kind, _once_each(path, heard), notes=notes)


def _records(path: Path, kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Rows with their line number. Raises UserError naming the first broken line: nothing is left out."""
    lines = ((number, line) for number, line in text_lines(path) if line.strip())
    if kind != "jsonl":
        yield from _table_rows(path, lines, kind)
        return
    for number, line in lines:
        if number == 1 and line.lstrip().startswith("["):
            yield from _json_list(path)
            return
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{path}:{number}: broken line: not JSON: {error}") from None
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: broken line: a JSON {type(row).__name__}, not an object")
        yield number, _whole(path, number, row)


def _whole(path: Path, number: int, row: Mapping[str, Any]) -> Mapping[str, Any]:
    if not writable(row):
        raise UserError(
            f"{path}:{number}: broken line: half of a character (a lone surrogate, as of an emoji that was cut)"
        )
    return row


def _json_list(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The entries of a file that is one JSON list, counted from 1."""
    try:
        entries = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: begins as a JSON list and is none: {error}") from None
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise UserError(f"{path}:{number}: entry {number} of the list is a {type(entry).__name__}, not an object")
        yield number, _whole(path, number, entry)


def _table_rows(path: Path, lines: Iterator[tuple[int, str]], kind: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Quotes mean nothing inside a TSV cell: one unbalanced quote must not swallow the rows after it."""
    numbers: list[int] = []

    def counted() -> Iterator[str]:
        for number, line in lines:
            numbers.append(number)
            yield line + "\n"

    reader = csv.reader(counted(), strict=True) if kind == "csv" else (_tsv_cells(line) for line in counted())
    header: list[str] | None = None
    while True:
        first = len(numbers)
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UserError(f"{path}:{numbers[first]}: broken line: {error}") from None
        if header is None:
            header = [cell.strip() for cell in cells]
            if twice := repeated(header):
                raise UserError(f"{path}:{numbers[first]}: two columns named {twice!r}; rename one")
        elif len(cells) != len(header):
            told = f"{len(cells)} columns where the header has {len(header)}"
            raise UserError(f"{path}:{numbers[first]}: broken line: {told}")
        else:
            yield numbers[first], dict(zip(header, cells, strict=True))


def _tsv_cells(line: str) -> list[str]:
    cells = line.removesuffix("\n").split("\t")
    return [c[1:-1].replace('""', '"') if len(c) > 1 and c[0] == c[-1] == '"' else c for c in cells]


def _once_each(path: Path, found: list[ExternalTranscript]) -> list[ExternalTranscript]:
    first: dict[str, int] = {}
    for one in found:
        if one.id in first:
            where = f"first in line {first[one.id]}"
            raise UserError(f"{path}:{one.line}: a second hypothesis for id {one.id!r} ({where}); keep one of them")
        first[one.id] = one.line
    return found


def guess(path: Path) -> str:
    """The format by the first lines, for suffixes that tell none. Raises UserError where the file cannot be read."""
    lines = [line for _, line in islice((pair for pair in text_lines(path) if pair[1].strip()), LOOKED_AT)]
    lines = [line for line in lines if not line.lstrip().startswith(";;")]
    if not lines:
        return "text"
    if lines[0].lstrip()[:1] in {"{", "["}:
        return "jsonl"
    if all(trn.ID.search(line) for line in lines):
        return "trn"
    words = [line.split() for line in lines]
    if all(ctm.is_word(fields) for fields in words):
        if all(fields[4].isdecimal() for fields in words) and len({fields[0] for fields in words}) == len(words) > 1:
            raise UserError(f"{path}: could be ctm, or Kaldi text of digits; name the format (ctm or text)")
        return "ctm"
    for kind, separator in (("tsv", "\t"), ("csv", ",")):
        if separator in lines[0] and known_columns([cell.strip(' "') for cell in lines[0].split(separator)]):
            return kind
    return "text"


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line) without line ends. Raises UserError where it is no text in UTF-8."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot read the transcripts: {error.strerror}") from None
    if content.startswith(b"\x1f\x8b"):
        raise UserError(f"{path}: the transcripts are compressed with gzip; decompress them first")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UserError(f"{path}: the transcripts are UTF-16; save them as UTF-8")
    if b"\0" in content[:4096]:
        raise UserError(f"{path}: not a text file; transcripts are one of {', '.join(FORMATS)}")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # line ends of an old Macintosh
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            yield number, raw.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{path}:{number}: broken line: not UTF-8") from None


def kaldi_lines(lines: Iterator[tuple[int, str]]) -> Iterator[trn.Line]:
    """`id words...`; an id alone heard nothing."""
    for number, line in lines:
        if not line.strip():
            continue
        name, *words = re.split(r"[ \t]+", line.strip())
        yield trn.Line(number, name, " ".join(words))
