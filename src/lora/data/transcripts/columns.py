"""Transcripts with named columns (JSON lines, CSV, TSV), and the usual names of id, hypothesis and reference."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.records.base import UserError

IDS = ("id", "utt_id", "utterance_id", "uttid", "utt", "key", "segment_id")
FILES = ("audio_filepath", "audio_path", "audio", "path", "wav", "file", "filename", "file_name")
HYPOTHESES = ("hypothesis", "hyp", "pred_text", "prediction", "pred", "predicted_text", "transcription_hyp")
TEXTS = (
    "text",
    "transcript",
    "transcription",
    "sentence",
)  # the reference next to a hypothesis column, else the hypothesis
REFERENCES = ("reference", "ref", "reference_text", "ground_truth", "target", *TEXTS)
COLUMNS = ("id", "hypothesis", "reference")  # what `columns` may map


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
    """

    names: tuple[str, ...]
    hypothesis: str
    reference: str | None = None
    duration: float | None = None
    truncated: bool = False
    line: int = 0
    column: str | None = None

    @property
    def id(self) -> str:
        return self.names[0]


def known_columns(names: Iterable[str]) -> bool:
    """Whether a header has an id or audio column and a text column."""
    header = set(names)
    return bool(header & {*IDS, *FILES}) and bool(header & {*HYPOTHESES, *TEXTS})


def from_columns(
    path: Path, records: Iterable[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str]
) -> Iterator[ExternalTranscript]:
    """Transcripts of rows. Raises UserError with file and line for a row without id or hypothesis."""
    for number, row in records:
        yield _transcript(f"{path}:{number}", number, row, columns)


def _transcript(where: str, number: int, row: Mapping[str, Any], columns: Mapping[str, str]) -> ExternalTranscript:
    for field, mapped in columns.items():
        if mapped not in row:
            present = ", ".join(map(str, row))
            raise UserError(f"{where}: columns.{field} is {mapped!r}, which is not a column; found {present}")
    names = _names(where, row, columns.get("id"))
    column = columns.get("hypothesis") or _first(row, (*HYPOTHESES, *TEXTS))
    if column is None or not names:
        missing = "hypothesis" if names else "id"
        expected = (*HYPOTHESES, *TEXTS) if names else (*IDS, *FILES)
        raise UserError(
            f"{where}: no column for {missing}: expected one of {', '.join(expected)}, or one named in `columns`; found "
            f"{', '.join(map(str, row)) or 'none'}"
        )
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
        duration=_number(row.get("duration")),
        truncated=str(row.get("truncated")).lower() == "true",
        line=number,
        column=column,
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
        offset, duration = _number(row.get("offset")), _number(row.get("duration"))
        if group is FILES and offset is not None:
            names.append(f"{value}#{offset:g}-{'' if duration is None else f'{duration:g}'}")
        names.append(value)
    return tuple(dict.fromkeys(names))


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of these names that is a column of the row."""
    return next((name for name in names if name in row), None)


def _number(value: Any) -> float | None:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
