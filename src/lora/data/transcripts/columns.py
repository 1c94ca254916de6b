"""Transcripts with named columns (JSON lines, CSV, TSV): what people call id, hypothesis and reference."""

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
TEXTS = ("text", "transcript", "transcription", "sentence")  # the reference beside a hypothesis, else the hypothesis
REFERENCES = ("reference", "ref", "reference_text", "ground_truth", "target", *TEXTS)
COLUMNS = ("id", "hypothesis", "reference")  # what a person may name


@dataclass(frozen=True)
class ExternalTranscript:
    """One utterance of a brought file; `reference` and `duration` (seconds) are null where it gives none.

    `names` are what it can be found by, the most telling first: its id, the file of its audio. `column` is the one that
    held the hypothesis.
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
    """Whether a header could be that of transcripts."""
    given = set(names)
    return bool(given & {*IDS, *FILES}) and bool(given & {*HYPOTHESES, *TEXTS})


def from_columns(
    path: Path, records: Iterable[tuple[int, Mapping[str, Any]]], columns: Mapping[str, str]
) -> Iterator[ExternalTranscript]:
    """Raises UserError naming file and line of a row that holds no id or no hypothesis."""
    for number, row in records:
        yield _brought(f"{path}:{number}", number, row, columns)


def _brought(where: str, number: int, row: Mapping[str, Any], columns: Mapping[str, str]) -> ExternalTranscript:
    for what, named in columns.items():
        if named not in row:
            raise UserError(f"{where}: no column {named!r}, named for {what}; found {', '.join(map(str, row))}")
    names = _names(where, row, columns.get("id"))
    column = columns.get("hypothesis") or _first(row, (*HYPOTHESES, *TEXTS))
    if column is None or not names:
        lacks = "hypothesis" if names else "id"
        known = (*HYPOTHESES, *TEXTS) if names else (*IDS, *FILES)
        raise UserError(
            f"{where}: no column for {lacks}: expected one of {', '.join(known)}, or one that `columns` names; found "
            f"{', '.join(map(str, row)) or 'none'}"
        )
    text = row[column]
    if not isinstance(text, str):
        raise UserError(f"{where}: expected {column} as a string, found {text!r:.80}")
    other = columns.get("reference") or _first(row, [name for name in REFERENCES if name != column])
    reference = None if other is None else row[other]
    if not isinstance(reference, str | None):
        raise UserError(f"{where}: expected {other} as a string, found {reference!r:.80}")
    cut = str(row.get("truncated")).lower() == "true"
    return ExternalTranscript(names, text, reference, _number(row.get("duration")), cut, number, column)


def _names(where: str, row: Mapping[str, Any], column: str | None) -> tuple[str, ...]:
    """Its id, then its audio; a piece of a recording is named as manifests name it, `audio#offset-duration`."""
    names: list[str] = []
    groups: list[tuple[str, ...]] = [(column,)] if column else [IDS, FILES]
    for group in groups:
        found = _first(row, group)
        value = None if found is None else row[found]
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # as manifests are read
        value = value.strip() if isinstance(value, str) else value
        if value in (None, "") or (group == FILES and not isinstance(value, str)):
            continue  # inline audio names nothing
        if not isinstance(value, str):
            raise UserError(f"{where}: expected {found} as a string, found {value!r:.80}")
        offset, duration = _number(row.get("offset")), _number(row.get("duration"))
        if group is FILES and offset is not None:
            names.append(f"{value}#{offset:g}-{'' if duration is None else f'{duration:g}'}")
        names.append(value)
    return tuple(dict.fromkeys(names))


def _first(row: Mapping[str, Any], names: Iterable[str]) -> str | None:
    """The first of these columns that the row has."""
    return next((name for name in names if name in row), None)


def _number(value: Any) -> float | None:
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
