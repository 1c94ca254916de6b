"""Transcripts from rows with named columns, and the usual names of id, hypothesis and reference."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from lora.data.column_names import SYNONYMS, TIMES, Columns, folded_name, shown_columns
from lora.data.row_fields import DEFAULT_COLUMNS, UNCALCULATED, RowError, row_number
from lora.records.base import UserError

IDS = ("id", "utt_id", "utterance_id", "uttid", "utt", "key", "segment_id")
FILES = tuple(
    dict.fromkeys(
        ("audio_filepath", "audio_path", "audio", "path", "wav", "file", "filename", "file_name", *SYNONYMS["audio"])
    )
)
# Columns of recordings and of who speaks: next to a text and without a hypothesis they make a file a manifest.
OF_MANIFESTS = ("audio_filepath", "audio_path", "audio", "wav", "duration", "speaker_id", "speaker", "client_id")
HYPOTHESES = (
    "hypothesis",
    "hyp",
    "pred_text",
    "prediction",
    "pred",
    "pred_str",
    "predictions",
    "predicted_text",
    "transcription_hyp",
)
TEXTS = (
    "text",
    "transcript",
    "transcription",
    "sentence",
)  # the reference next to a hypothesis column, else the hypothesis
REFERENCES = (
    "reference",
    "ref",
    "reference_text",
    "ground_truth",
    "target",
    "label_str",
    "references",
    "label",
    *TEXTS,
)
ANY_TEXT = (*HYPOTHESES, *TEXTS)
SPEAKERS = ("speaker_id", "speaker", "client_id", "spk")
COLUMNS = ("id", "hypothesis", "reference")  # what `columns` may map


class Segment(NamedTuple):
    """A piece of a recording, in seconds from its beginning."""

    recording: str
    start: float
    end: float
    channel: int | None = None
    speaker: str | None = None


class ExternalTranscript(NamedTuple):
    """One utterance of a transcript file that another tool wrote.

    Attributes:
        names: what its row can be found by, the most specific first: its id, its audio file.
        hypothesis: the transcript.
        reference: None where the file has none.
        duration: seconds; None where the file has none.
        truncated: whether the tool marked the transcript as cut off.
        line: line number in the file.
        column: name of the column of the hypothesis, where the file has columns.
        marked: the transcript as a reference, where the format marks alternatives (trn).
        segment: which piece of a recording it is, where the file says so.
        row: the row of a table without a column of ids.
    """

    names: tuple[str, ...]
    hypothesis: str
    reference: str | None = None
    duration: float | None = None
    truncated: bool = False
    line: int = 0
    column: str | None = None
    marked: str | None = None
    segment: Segment | None = None
    row: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        return self.names[0]


def column(text: str) -> tuple[str, str]:
    """`WHAT=COLUMN` of a command line. Raises argparse.ArgumentTypeError for another text."""
    what, equals, name = text.partition("=")
    if what not in COLUMNS or not equals or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not WHAT=COLUMN with WHAT one of {', '.join(COLUMNS)}")
    return what, name


def known_columns(names: Iterable[str]) -> bool:
    """Whether a header has an id or audio column and a text column."""
    header = list(names)
    return _first(header, (*IDS, *FILES)) is not None and _first(header, ANY_TEXT) is not None


def from_columns(
    path: Path, records: Iterable[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str]
) -> Iterator[ExternalTranscript]:
    """Transcripts of rows. Where no row has a column of ids or files, they are named by their lines.

    Raises UserError with file and line for a row without id or hypothesis.
    """
    records = iter(records)
    before: list[tuple[int, Mapping[str, Any]]] = []  # rows up to the first one with an id, which mostly is the first
    numbered = "id" not in columns
    header: tuple[str, ...] | None = None
    while numbered and (record := next(records, None)) is not None:
        before.append(record)
        if header != (header := tuple(record[1])):
            numbered = _first(record[1], (*IDS, *FILES)) is None
    headers: dict[tuple[str, ...], _Header] = {}
    for number, row in chain(before, records):
        names = tuple(row)
        try:
            if names not in headers:
                headers[names] = _header(row, columns)
            yield _transcript(number, row, headers[names], numbered)
        except RowError as error:
            if not row or any(cell != "" for cell in row.values()):  # spreadsheets write empty rows at the end
                raise UserError(f"{path}:{number}: {error}") from None


def line_name(number: int) -> str:
    """Name of a transcript or row that has no id of its own."""
    return f"line {number}"


@dataclass(frozen=True)
class _Header:
    """Names of the columns of a row, found once for all rows that have the same columns; None for what has no column.

    Attributes:
        id, file, hypothesis, reference, speaker: columns of these; where the column of the id is configured, neither
            file nor speaker is part of the names.
        other: a second column that could be the one of hypotheses, where none is configured.
        manifest: column that makes the file a manifest, whose text is no hypothesis.
        times: columns of offset, duration and end.
        truncated: whether there is a column of this name.
    """

    id: str | None
    file: str | None
    hypothesis: str | None
    other: str | None
    reference: str | None
    speaker: str | None
    manifest: str | None
    times: Columns | None
    truncated: bool


def _header(row: Mapping[str, Any], columns: Mapping[str, str]) -> _Header:
    """The columns of a row. Raises RowError where a configured one is missing."""
    for field, mapped in columns.items():
        if mapped not in row:
            raise RowError(f"columns.{field} is {mapped!r}, which is not a column; found {shown_columns(row)}")
    id = columns.get("id")
    free = [name for name in row if name not in columns.values()]
    hypothesis = columns.get("hypothesis") or _first(free, ANY_TEXT) or _first(row, ANY_TEXT)
    named = folded_name(str(hypothesis))
    is_text = "hypothesis" not in columns and named in TEXTS
    others = [name for name in free if name != hypothesis] if hypothesis in free else []
    reference = columns.get("reference") or _first(row, [name for name in REFERENCES if name != named])
    times = DEFAULT_COLUMNS.among(row)
    return _Header(
        id=id or _first(row, IDS),
        file=None if id else _first(row, FILES),
        hypothesis=hypothesis,
        other=_first(others, HYPOTHESES if named in HYPOTHESES else TEXTS),
        reference=reference,
        speaker=None if id else _first(row, SPEAKERS),
        manifest=_first(row, OF_MANIFESTS) if is_text and reference is None else None,
        times=times if any(times.present[field] for field in TIMES) else None,
        truncated="truncated" in row,
    )


def _stated(column: str, value: object) -> str:
    return f"no {column} (null)" if value is None else f"{column} is {value!r:.80}"


def _transcript(number: int, row: Mapping[str, Any], header: _Header, numbered: bool) -> ExternalTranscript:
    offset, duration = (None, None) if header.times is None else _times(row, header.times)
    names = (line_name(number),) if numbered else _names(row, header, offset, duration)
    column = header.hypothesis
    if not names and (named := header.id or header.file) is not None:
        raise RowError(f"{_stated(named, row[named])}; expected the name of an utterance")
    if column is None or not names:
        missing = "hypothesis" if names else "id"
        expected = ", ".join(ANY_TEXT if names else (*IDS, *FILES))
        raise RowError(
            f"no column for {missing}: expected one of {expected}, or one named in `columns`; found "
            f"{shown_columns(row)}"
        )
    if header.manifest is not None:
        raise RowError(
            f"no column of hypotheses: {column!r} next to {header.manifest!r} is the reference of a manifest, "
            f"not what a model wrote. Name the file of the model's transcripts; if {column!r} is what it wrote, rename "
            f"the column to 'hypothesis' or set `columns: {{hypothesis: {column}}}`"
        )
    text = row[column]
    if not isinstance(text, str):
        raise RowError(f"{_stated(column, text)}; expected a string")
    if header.other is not None and isinstance(other := row[header.other], str) and other != text:
        raise RowError(
            f"two columns of texts, which differ: {column} is {text!r:.80} and {header.other} is {other!r:.80}. Name "
            f"that of the hypotheses (`columns: {{hypothesis: {column}}}`), or in a file of references theirs "
            f"(`columns: {{text: {column}}}`)"
        )
    reference = None if header.reference is None else row[header.reference]
    if not isinstance(reference, str | None):
        raise RowError(f"{header.reference} is {reference!r:.80}; expected a string")
    for name, cell in ((column, text), (header.reference, reference)):
        if cell in UNCALCULATED:
            raise RowError(f"{name} is {cell!r}, which a spreadsheet writes instead of a text; export it again")
    return ExternalTranscript(
        names=names,
        hypothesis=text,
        reference=reference,
        duration=duration,
        truncated=header.truncated and str(row["truncated"]).lower() == "true",
        line=number,
        column=column,
        row=row if numbered else None,
    )


def _names(row: Mapping[str, Any], header: _Header, offset: float | None, duration: float | None) -> tuple[str, ...]:
    """The id, then the audio file; a segment of a recording is named `audio#offset-duration`, as in manifests."""
    names: list[str] = []
    id = None if header.id is None else _name(row[header.id])
    if id not in (None, ""):
        if not isinstance(id, str):
            raise RowError(f"{header.id} is {id!r:.80}; expected a string")
        names.append(id)
        speaker = None if header.speaker is None else row[header.speaker]
        if isinstance(speaker, str) and speaker:
            names += with_speaker(speaker, id)
    file = None if header.file is None else _name(row[header.file])
    if isinstance(file, str) and file:  # inline audio has no name
        if offset is not None:
            names.append(f"{file}#{offset:g}-{'' if duration is None else f'{duration:g}'}")
        names.append(file)
    return tuple(dict.fromkeys(names))


def _name(value: object) -> object:
    """A name without space around it; numbers are names, as in manifests."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def with_speaker(speaker: str, id: str) -> tuple[str, ...]:
    """Ids of an utterance as tools write them that put the speaker first."""
    return (f"{speaker}-{id}", f"{speaker}_{id}")


def _first(row: Collection[str], names: Iterable[str]) -> str | None:
    """The column of the row that has the first of these names, also in capitals or with spaces."""
    folded = {folded_name(str(name)): name for name in reversed(list(row))}
    return next((name if name in row else folded[name] for name in names if name in row or name in folded), None)


def _times(row: Mapping[str, Any], columns: Columns) -> tuple[float | None, float | None]:
    """Offset and duration of a row by the columns that manifests may have for them; None for what is no time."""
    offset, duration = _time(row, columns, "offset"), _time(row, columns, "duration")
    if duration is None and (end := _time(row, columns, "end")) is not None:
        duration = round(end - (offset or 0.0), 9)
    return offset, duration


def _time(row: Mapping[str, Any], columns: Columns, field: str) -> float | None:
    try:
        return row_number(columns, row, field)
    except RowError:
        return None
