"""Transcripts from rows with named columns, and the usual names of id, hypothesis and reference."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from lora.data.row_fields import DEFAULT_COLUMNS, RowError, row_number
from lora.records.base import UserError

IDS = ("id", "utt_id", "utterance_id", "uttid", "utt", "key", "segment_id")
FILES = ("audio_filepath", "audio_path", "audio", "path", "wav", "file", "filename", "file_name")
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
SPEAKERS = ("speaker_id", "speaker", "client_id", "spk")
COLUMNS = ("id", "hypothesis", "reference")  # what `columns` may map


class Segment(NamedTuple):
    """A piece of a recording, in seconds from its beginning."""

    recording: str
    start: float
    end: float
    channel: int | None = None
    speaker: str | None = None


@dataclass(frozen=True)
class ExternalTranscript:
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
    header = set(names)
    return bool(header & {*IDS, *FILES}) and bool(header & {*HYPOTHESES, *TEXTS})


def from_columns(
    path: Path, records: Iterable[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str]
) -> Iterator[ExternalTranscript]:
    """Transcripts of rows. Where no row has a column of ids or files, they are named by their lines.

    Raises UserError with file and line for a row without id or hypothesis.
    """
    rows = list(records)
    numbered = "id" not in columns and not any(_first(row, (*IDS, *FILES)) for _, row in rows)
    for number, row in rows:
        yield _transcript(f"{path}:{number}", number, row, columns, numbered)


def line_name(number: int) -> str:
    """Name of a transcript or row that has no id of its own."""
    return f"line {number}"


def _transcript(
    where: str, number: int, row: Mapping[str, Any], columns: Mapping[str, str], numbered: bool
) -> ExternalTranscript:
    for field, mapped in columns.items():
        if mapped not in row:
            present = ", ".join(map(str, row))
            raise UserError(f"{where}: columns.{field} is {mapped!r}, which is not a column; found {present}")
    names = (line_name(number),) if numbered else _names(where, row, columns.get("id"))
    column = columns.get("hypothesis") or _first(row, (*HYPOTHESES, *TEXTS))
    if column is None or not names:
        missing = "hypothesis" if names else "id"
        expected = ", ".join((*HYPOTHESES, *TEXTS) if names else (*IDS, *FILES))
        present = ", ".join(map(str, row)) or "none"
        raise UserError(
            f"{where}: no column for {missing}: expected one of {expected}, or one named in `columns`; found {present}"
        )
    if "hypothesis" not in columns and column in TEXTS:
        _refuse_manifest(where, row, column)
    text = row[column]
    if not isinstance(text, str):
        raise UserError(f"{where}: {column} is {text!r:.80}; expected a string")
    other = columns.get("reference") or _first(row, [name for name in REFERENCES if name != column])
    reference = None if other is None else row[other]
    if not isinstance(reference, str | None):
        raise UserError(f"{where}: {other} is {reference!r:.80}; expected a string")
    return ExternalTranscript(
        names=names,
        hypothesis=text,
        reference=reference,
        duration=_times(row)[1],
        truncated=str(row.get("truncated")).lower() == "true",
        line=number,
        column=column,
    )


def _refuse_manifest(where: str, row: Mapping[str, Any], column: str) -> None:
    """Raises UserError for a row of a manifest, whose text is a reference."""
    neighbour = _first(row, OF_MANIFESTS)
    if neighbour is not None:
        raise UserError(
            f"{where}: no column of hypotheses: {column!r} next to {neighbour!r} is the reference of a manifest, not "
            f"what a model wrote. Name the file of the model's transcripts; if {column!r} is what it wrote, rename the "
            f"column to 'hypothesis' or set `columns: {{hypothesis: {column}}}`"
        )


def _names(where: str, row: Mapping[str, Any], column: str | None) -> tuple[str, ...]:
    """The id, then the audio file; a segment of a recording is named `audio#offset-duration`, as in manifests."""
    names: list[str] = []
    groups: list[tuple[str, ...]] = [(column,)] if column else [IDS, FILES]
    for group in groups:
        name = _first(row, group)
        value = None if name is None else row[name]
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # as for manifests
        value = value.strip() if isinstance(value, str) else value
        if value in (None, "") or (group == FILES and not isinstance(value, str)):
            continue  # inline audio has no name
        if not isinstance(value, str):
            raise UserError(f"{where}: {name} is {value!r:.80}; expected a string")
        offset, duration = _times(row)
        if group is FILES and offset is not None:
            names.append(f"{value}#{offset:g}-{'' if duration is None else f'{duration:g}'}")
        names.append(value)
        speaker = row.get(_first(row, SPEAKERS) or "")
        if group is IDS and isinstance(speaker, str) and speaker:
            names += with_speaker(speaker, value)
    return tuple(dict.fromkeys(names))


def with_speaker(speaker: str, id: str) -> tuple[str, ...]:
    """Ids of an utterance as tools write them that put the speaker first."""
    return (f"{speaker}-{id}", f"{speaker}_{id}")


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of these names that is a column of the row."""
    return next((name for name in names if name in row), None)


def _times(row: Mapping[str, Any]) -> tuple[float | None, float | None]:
    """Offset and duration of a row by the columns that manifests may have for them; None for what is no time."""
    offset, duration, end = (_time(row, field) for field in ("offset", "duration", "end"))
    if duration is None and end is not None:
        duration = round(end - (offset or 0.0), 9)
    return offset, duration


def _time(row: Mapping[str, Any], field: str) -> float | None:
    try:
        return row_number(DEFAULT_COLUMNS, row, field)
    except RowError:
        return None
