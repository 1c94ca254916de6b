"""Transcript files of other tools: JSON lines, CSV, TSV, Kaldi text, sclite trn or ctm.

The format is configured, else given by the suffix, else guessed from the first lines. Ids stay as they are written:
`lora.data.transcripts.row_matching` finds their rows. To add a format, add a `TranscriptFormat` to `FORMATS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lora.data.transcripts import ctm, trn
from lora.data.transcripts.columns import ExternalTranscript, from_columns, known_columns, read_rows
from lora.records.base import UserError

GUESSED_FROM = 20  # lines


@dataclass(frozen=True)
class TranscriptFile:
    """Content of a file: utterances, or for a ctm the timed words of every recording in order of time."""

    format: str
    utterances: list[ExternalTranscript] = field(default_factory=list)
    words: dict[str, list[ctm.Word]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TranscriptFormat:
    """A format of transcript files.

    Attributes:
        name: value of `format` in config.yaml and of `--format`.
        read: the content of a file, given the mapping of columns.
        matches: whether the first lines (not empty, without `;;` comments) of a file have this format.
        suffixes: file suffixes that imply the format.
        has_columns: whether `columns` may be configured.
    """

    name: str
    read: Callable[[Path, Mapping[str, str]], TranscriptFile]
    matches: Callable[[Path, Sequence[str]], bool]
    suffixes: tuple[str, ...] = ()
    has_columns: bool = False


def read_transcript_file(
    path: Path, format_name: str | None = None, columns: Mapping[str, str] | None = None
) -> TranscriptFile:
    """Read a transcript file.

    Args:
        path: the file.
        format_name: its format; None uses the suffix, else the first lines.
        columns: our names (id, hypothesis, reference) to the names of its columns.

    Raises:
        UserError: with file and line for what cannot be read, and for missing columns.
    """
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: not a file but a folder or pipe; save the transcripts to a file and name it")
    kind = FORMATS[format_name or _format_of_suffix(path) or guess_format(path)]
    if columns and not kind.has_columns:
        raise UserError(f"{path}: `columns` is set, but format {kind.name} has no columns; name another format")
    return kind.read(path, columns or {})


def guess_format(path: Path) -> str:
    """The format that the first lines look like. Raises UserError where the file cannot be read or is ambiguous."""
    lines = [line for _, line in islice((pair for pair in text_lines(path) if pair[1].strip()), GUESSED_FROM)]
    lines = [line for line in lines if not line.lstrip().startswith(";;")]
    if not lines:
        return TEXT.name
    return next(kind.name for kind in FORMATS.values() if kind.matches(path, lines))


def _format_of_suffix(path: Path) -> str | None:
    return next((kind.name for kind in FORMATS.values() if path.suffix.lower() in kind.suffixes), None)


def _read_ctm(path: Path, columns: Mapping[str, str]) -> TranscriptFile:
    words, notes = ctm.read_words(path, text_lines(path))
    return TranscriptFile("ctm", words=words, notes=notes)


def _read_trn(path: Path, columns: Mapping[str, str]) -> TranscriptFile:
    notes: list[str] = []
    transcripts = _from_lines(path, trn.read_lines(path, text_lines(path), notes))
    return TranscriptFile("trn", transcripts, notes=notes)


def _read_kaldi(path: Path, columns: Mapping[str, str]) -> TranscriptFile:
    return TranscriptFile("text", _from_lines(path, kaldi_lines(text_lines(path))))


def _from_lines(path: Path, lines: Iterable[trn.Line]) -> list[ExternalTranscript]:
    return _unique(
        path,
        [
            ExternalTranscript(names=(line.id,), hypothesis=line.words, line=line.number, marked=line.marked)
            for line in lines
        ],
    )


def _table_reader(kind: str) -> Callable[[Path, Mapping[str, str]], TranscriptFile]:
    def read(path: Path, columns: Mapping[str, str]) -> TranscriptFile:
        return TranscriptFile(
            kind, _unique(path, list(from_columns(path, read_rows(path, text_lines(path), kind), columns)))
        )

    return read


def _unique(path: Path, transcripts: list[ExternalTranscript]) -> list[ExternalTranscript]:
    """The transcripts. Raises UserError for an id that occurs twice."""
    first: dict[str, int] = {}
    for one in transcripts:
        if one.id in first:
            earlier = f"first in line {first[one.id]}"
            raise UserError(f"{path}:{one.line}: duplicate hypothesis for id {one.id!r} ({earlier}); keep one of them")
        first[one.id] = one.line
    return transcripts


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
        raise UserError(f"{path}: not a text file; transcripts are one of {', '.join(FORMATS)}")
    if b"\n" not in content:
        content = content.replace(b"\r", b"\n")  # line ends of classic Mac OS
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        try:
            yield number, raw.removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError:
            raise UserError(f"{path}:{number}: broken line: not UTF-8") from None


def kaldi_lines(lines: Iterator[tuple[int, str]]) -> Iterator[trn.Line]:
    """`id words...`; an id alone is an empty hypothesis."""
    for number, line in lines:
        if not line.strip():
            continue
        name, *words = re.split(r"[ \t]+", line.strip())
        yield trn.Line(number, name, " ".join(words))


def _is_json(path: Path, lines: Sequence[str]) -> bool:
    return lines[0].lstrip()[:1] in {"{", "["}


def _is_trn(path: Path, lines: Sequence[str]) -> bool:
    return all(trn.ID.search(line) for line in lines)


def _is_ctm(path: Path, lines: Sequence[str]) -> bool:
    """Raises UserError for what could be Kaldi text of digits as well."""
    words = [line.split() for line in lines]
    if not all(ctm.is_word(fields) for fields in words):
        return False
    if all(fields[4].isdecimal() for fields in words) and len({fields[0] for fields in words}) == len(words) > 1:
        raise UserError(f"{path}: could be ctm, or Kaldi text of digits; name the format (ctm or text)")
    return True


def _has_header(separator: str) -> Callable[[Path, Sequence[str]], bool]:
    def matches(path: Path, lines: Sequence[str]) -> bool:
        return separator in lines[0] and known_columns([cell.strip(' "') for cell in lines[0].split(separator)])

    return matches


JSONL = TranscriptFormat(
    name="jsonl",
    read=_table_reader("jsonl"),
    matches=_is_json,
    suffixes=(".jsonl", ".json", ".ndjson"),
    has_columns=True,
)
TRN = TranscriptFormat(name="trn", read=_read_trn, matches=_is_trn, suffixes=(".trn",))
CTM = TranscriptFormat(name="ctm", read=_read_ctm, matches=_is_ctm, suffixes=(".ctm",))
TSV = TranscriptFormat(
    name="tsv", read=_table_reader("tsv"), matches=_has_header("\t"), suffixes=(".tsv",), has_columns=True
)
CSV = TranscriptFormat(
    name="csv", read=_table_reader("csv"), matches=_has_header(","), suffixes=(".csv",), has_columns=True
)
TEXT = TranscriptFormat(name="text", read=_read_kaldi, matches=lambda path, lines: True)

# A file without a known suffix has the first format that its lines match.
FORMATS: dict[str, TranscriptFormat] = {kind.name: kind for kind in (JSONL, TRN, CTM, TSV, CSV, TEXT)}
