"""Transcript files of other tools: reading any format, and finding out which one a file has.

The format is configured, else found by suffix and first lines. Ids stay as they are written:
`lora.data.transcripts.row_matching` finds their rows. To add a format, name it in `lora.records.transcript_formats`
and add a `TranscriptFormat` to `FORMATS`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from lora.data.manifest_lines import JSON_SUFFIXES
from lora.data.python_bytes import DECODE, is_written_as_bytes
from lora.data.text_encoding import notes_of_files
from lora.data.transcripts import ctm, lines, parquet_file, predictions, recogs, segments, stm, trn
from lora.data.transcripts.column_rows import read_rows
from lora.data.transcripts.columns import ExternalTranscript, from_columns, known_columns, line_name
from lora.data.transcripts.text_file import text_lines
from lora.records.base import UserError

GUESSED_FROM = 20  # lines
# Shares of them that have the form of a format. Kaldi text of digits looks like stm in about half of its lines.
MOST, ALMOST_ALL = 0.75, 0.9
# Also dictionaries as Python prints them, which are an error of JSON and no texts.
JSON = re.compile(r"\s*(\{\s*([\"}]|'\w+'\s*:|$)|\[\s*([\"{\[\]]|$))")


@dataclass(frozen=True)
class TranscriptFile:
    """Content of a file: utterances, or timed words of every recording in order of time.

    `notes` are decisions on its texts as hypotheses, `encoding` has a note where it is not UTF-8.
    """

    format: str
    utterances: list[ExternalTranscript] = field(default_factory=list)
    words: dict[str, list[ctm.Word]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    encoding: list[str] = field(default_factory=list)

    @property
    def timed(self) -> bool:
        """Whether the format has words with times instead of utterances."""
        return self.format in {"ctm", "segments"}

    @property
    def numbered(self) -> bool:
        """Whether the utterances have no ids, only their places."""
        return bool(self.utterances) and all(one.names == (line_name(one.line),) for one in self.utterances)


@dataclass(frozen=True)
class TranscriptFormat:
    """A format of transcript files.

    Attributes:
        name: value of `format` in config.yaml and of `--format`.
        read: the content of a file, given the mapping of columns; adds a note to a list where it is not UTF-8.
        matches: whether the first lines (not empty, without `;;` comments) of a file have this format.
        suffixes: file suffixes that have this format.
        has_columns: whether `columns` may be configured.
    """

    name: str
    read: Callable[[Path, Mapping[str, str], list[str]], TranscriptFile]
    matches: Callable[[Path, Sequence[str]], bool]
    suffixes: tuple[str, ...] = ()
    has_columns: bool = False


def read_transcript_file(
    path: Path, format_name: str | None = None, columns: Mapping[str, str] | None = None
) -> TranscriptFile:
    """Read a transcript file, or a folder with a file per recording.

    Args:
        path: the file.
        format_name: its format; None uses suffix and first lines.
        columns: our names (id, hypothesis, reference) to the names of its columns.

    Raises:
        UserError: with file and line for what cannot be read, and for missing columns.
    """
    kind = FORMATS[format_name or guess_format(path)]
    if path.is_dir() and kind is not SEGMENTS:
        raise UserError(f"{path}: this is a folder, but format {kind.name} is a file; name the file")
    if columns and not kind.has_columns:
        raise UserError(f"{path}: `columns` is set, but format {kind.name} has no columns; name another format")
    encoding: list[str] = []
    file = kind.read(path, columns or {}, encoding)
    texts = [one.hypothesis for one in file.utterances if one.hypothesis]
    if texts and all(map(is_written_as_bytes, texts)):
        raise UserError(f"{path}: each text is {DECODE} (the first: {texts[0]:.60})")
    return replace(file, encoding=encoding)


def guess_format(path: Path) -> str:
    """The format by suffix and first lines. Raises UserError where the file cannot be read or is ambiguous."""
    if path.is_dir():
        return SEGMENTS.name
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: not a file but a pipe; save the transcripts to a file and name it")
    suffix = path.suffix.lower()
    candidates = [kind for kind in FORMATS.values() if suffix in kind.suffixes] or list(FORMATS.values())
    if len(candidates) == 1:
        return candidates[0].name
    first = [line for _, line in islice((pair for pair in text_lines(path) if pair[1].strip()), GUESSED_FROM)]
    first = [line for line in first if not line.lstrip().startswith(";;")]
    if any(map(segments.TIMES.search, first)):
        raise UserError(f"{path}: {segments.TIMES_IN_TEXT}")
    last = candidates.pop()
    if not first:
        return last.name
    return next((kind.name for kind in candidates if kind.matches(path, first)), last.name)


def _read_ctm(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    notes: list[str] = []
    words = ctm.read_words(path, text_lines(path, encoding), notes)
    return TranscriptFile("ctm", words=words, notes=notes)


def _read_segments(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    by_file: defaultdict[str, list[str]] = defaultdict(list)
    words = segments.read_recordings(path, lambda file: text_lines(file, by_file[file.name]))
    encoding += notes_of_files(by_file)
    return TranscriptFile("segments", words=words)


def _read_trn(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    notes: list[str] = []
    transcripts = _from_lines(path, trn.read_lines(path, text_lines(path, encoding), notes))
    return TranscriptFile("trn", transcripts, notes=notes)


def _read_stm(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    notes: list[str] = []
    segments = stm.read_segments(path, text_lines(path, encoding), notes)
    return TranscriptFile("stm", _unique(path, segments), notes=notes)


def _read_recogs(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    return TranscriptFile("recogs", _unique(path, list(recogs.read_pairs(path, text_lines(path, encoding)))))


def _read_kaldi(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    return TranscriptFile("text", _from_lines(path, kaldi_lines(text_lines(path, encoding))))


def _read_texts(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    return TranscriptFile("lines", lines.read_texts(text_lines(path, encoding)))


def _read_predictions(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    text = "\n".join(line for _, line in text_lines(path, encoding))
    return TranscriptFile("predictions", _unique(path, predictions.read_lists(path, text, columns)))


def _from_lines(path: Path, entries: Iterable[trn.Line]) -> list[ExternalTranscript]:
    return _unique(
        path,
        [
            ExternalTranscript(names=(line.id,), hypothesis=line.words, line=line.number, marked=line.marked)
            for line in entries
        ],
    )


def _table_reader(kind: str) -> Callable[[Path, Mapping[str, str], list[str]], TranscriptFile]:
    def read(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
        rows = read_rows(path, text_lines(path, encoding), kind)
        return TranscriptFile(kind, _unique(path, list(from_columns(path, rows, columns))))

    return read


def _read_parquet(path: Path, columns: Mapping[str, str], encoding: list[str]) -> TranscriptFile:
    rows = parquet_file.read_rows(path, columns.values())
    return TranscriptFile("parquet", _unique(path, list(from_columns(path, rows, columns))))


def _unique(path: Path, transcripts: list[ExternalTranscript]) -> list[ExternalTranscript]:
    """The transcripts. Raises UserError for an id that occurs twice."""
    first: dict[str, int] = {}
    for one in transcripts:
        if one.id in first:
            earlier = f"first in line {first[one.id]}"
            raise UserError(f"{path}:{one.line}: duplicate hypothesis for id {one.id!r} ({earlier}); keep one of them")
        first[one.id] = one.line
    return transcripts


def kaldi_lines(numbered: Iterator[tuple[int, str]]) -> Iterator[trn.Line]:
    """`id words...`; an id alone is an empty hypothesis."""
    for number, line in numbered:
        if not line.strip():
            continue
        name, *words = re.split(r"[ \t]+", line.strip())
        yield trn.Line(number, name, " ".join(words))


def _is_json(path: Path, first: Sequence[str]) -> bool:
    """Whether a file begins as JSON does, or most lines do; a text may begin with `[noise]` or `{uh}`."""
    return JSON.match(first[0]) is not None or 2 * sum(map(bool, map(JSON.match, first))) > len(first)


def _is_ctm(path: Path, first: Sequence[str]) -> bool:
    """Raises UserError for what could be Kaldi text of digits as well."""
    words = [ctm.fields_of(line) for line in first]
    if not all(ctm.is_word(fields) for fields in words):
        return False
    if all(fields[4].isdecimal() for fields in words) and len({fields[0] for fields in words}) == len(words) > 1:
        raise UserError(f"{path}: could be ctm, or Kaldi text of digits; name the format (ctm or text)")
    return True


def _has_no_ids(path: Path, first: Sequence[str]) -> bool:
    return not lines.first_words_are_ids([line for _, line in text_lines(path)])


def _has_header(*separators: str) -> Callable[[Path, Sequence[str]], bool]:
    def matches(path: Path, first: Sequence[str]) -> bool:
        headers = [[cell.strip(' "') for cell in first[0].split(separator)] for separator in separators]
        return any(len(header) > 1 and known_columns(header) for header in headers)

    return matches


def _most_lines(test: Callable[[str], object], share: float) -> Callable[[Path, Sequence[str]], bool]:
    """Whether a share of the lines has a form; a damaged one, which the reader names, must not decide the format."""
    return lambda path, first: sum(bool(test(line)) for line in first) >= share * len(first)


def _is_trn(path: Path, first: Sequence[str]) -> bool:
    """Whether the lines end with ids: all of them, or most with different ones, unlike remarks such as `(laughs)`."""
    ids = [found[1] for line in first if (found := trn.ID.search(line)) is not None]
    return len(ids) == len(first) or (len(set(ids)) == len(ids) and len(ids) >= MOST * len(first))


PREDICTIONS = TranscriptFormat(
    name="predictions",
    read=_read_predictions,
    matches=lambda path, first: predictions.looks_like_lists(first),
    suffixes=JSON_SUFFIXES,
    has_columns=True,
)
SEGMENTS = TranscriptFormat(
    name="segments",
    read=_read_segments,
    matches=lambda path, first: segments.looks_like_segments(first),
    suffixes=(".json", ".tsv", ".csv"),
)
JSONL = TranscriptFormat(
    name="jsonl", read=_table_reader("jsonl"), matches=_is_json, suffixes=JSON_SUFFIXES, has_columns=True
)
TRN = TranscriptFormat(name="trn", read=_read_trn, matches=_is_trn, suffixes=(".trn",))
RECOGS = TranscriptFormat(
    name="recogs", read=_read_recogs, matches=_most_lines(lambda line: recogs.LINE.fullmatch(line.strip()), MOST)
)
CTM = TranscriptFormat(name="ctm", read=_read_ctm, matches=_is_ctm, suffixes=(".ctm",))
STM = TranscriptFormat(
    name="stm",
    read=_read_stm,
    matches=_most_lines(lambda line: stm.is_segment(line.split()), ALMOST_ALL),
    suffixes=(".stm",),
)
TSV = TranscriptFormat(
    name="tsv", read=_table_reader("tsv"), matches=_has_header("\t"), suffixes=(".tsv",), has_columns=True
)
CSV = TranscriptFormat(
    name="csv", read=_table_reader("csv"), matches=_has_header(",", ";", "|"), suffixes=(".csv",), has_columns=True
)
PARQUET = TranscriptFormat(
    name="parquet",
    read=_read_parquet,
    matches=lambda path, first: False,  # it has no lines
    suffixes=(".parquet",),
    has_columns=True,
)
LINES = TranscriptFormat(name="lines", read=_read_texts, matches=_has_no_ids)
TEXT = TranscriptFormat(name="text", read=_read_kaldi, matches=lambda path, first: True)

# A file has the first format of its suffix that its lines match; the last one needs no match.
_IN_ORDER = (PREDICTIONS, SEGMENTS, JSONL, TRN, RECOGS, CTM, STM, TSV, CSV, PARQUET, LINES, TEXT)
FORMATS: dict[str, TranscriptFormat] = {kind.name: kind for kind in _IN_ORDER}
