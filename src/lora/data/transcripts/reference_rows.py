"""Rows of an evaluation without their audio: references with ids, and durations where they are known.

Reads a manifest of any format, whose audio need not exist, references in Kaldi text or trn, or transcripts that include
their references. An unknown duration is 0. In an evaluation, an explicitly empty text is a row of silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lora.data.audio.headers import header_seconds
from lora.data.formats.interface import Entry, Reading
from lora.data.formats.registry import read_source
from lora.data.manifest import Manifest, Rejected
from lora.data.row_fields import RowError, row_fields
from lora.data.source import Source, states_silence
from lora.data.transcripts.columns import HYPOTHESES
from lora.data.transcripts.files import read_transcript_file
from lora.records.base import UserError
from lora.records.manifests import Utterance

UNKNOWN_DURATION = 0.0
MANIFESTS = {".jsonl", ".json", ".ndjson", ".csv", ".tsv", ".parquet"}


def reference_rows(path: Path, *, silence: bool) -> Manifest:
    """Read references; every line becomes a row or a rejected line.

    Args:
        path: manifest, references, or transcripts that include them.
        silence: whether an explicitly empty text is a row of silence, as in an evaluation, and not a missing one.

    Raises:
        UserError: for a file without references.
    """
    reading = read_source(Source(path)) if path.is_dir() or _suffix(path) in MANIFESTS else None
    if reading is not None and any(_names_audio(entry, reading) for entry in reading.entries):
        return _from_manifest(reading, silence and states_silence(reading.format))
    return _from_transcripts(path, silence)


def _suffix(path: Path) -> str:
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def _names_audio(entry: Entry, reading: Reading) -> bool:
    return isinstance(entry.row, dict) and any(reading.columns.has(entry.row, field) for field in ("audio", "samples"))


def _from_manifest(reading: Reading, silence: bool) -> Manifest:
    rows: dict[str, Utterance] = {}
    rejected = []
    for entry in reading.entries:
        if isinstance(entry.row, str):
            rejected.append(Rejected(entry.line, entry.id, entry.row))
            continue
        try:
            fields = row_fields(entry.row, entry.line, reading.columns, silence=silence)
        except RowError as error:
            name = reading.columns.value(entry.row, "id")
            rejected.append(Rejected(entry.line, None if name is None else str(name), str(error)))
            continue
        if fields["id"] in rows:
            first = rows[fields["id"]].line
            rejected.append(Rejected(entry.line, fields["id"], f"duplicate id, first used in line {first}"))
            continue
        fields["duration"] = _duration(fields, reading.folder)
        rows[fields["id"]] = Utterance(**fields)
    return Manifest(list(rows.values()), rejected, reading.folder, reading.format)


def _duration(fields: dict[str, Any], folder: Path) -> float:
    """Seconds from the manifest, else from the header of the audio file where it exists."""
    if fields["duration"] is not None:
        return float(fields["duration"])
    length = header_seconds(str(folder / fields["audio"]))
    return max(0.0, length - (fields["offset"] or 0.0)) if isinstance(length, float) else UNKNOWN_DURATION


def _from_transcripts(path: Path, silence: bool) -> Manifest:
    file = read_transcript_file(path)
    if file.format == "ctm":
        raise UserError(f"{path}: a ctm contains hypotheses, not references; name a manifest, or references as trn")
    rows: list[Utterance] = []
    rejected: list[Rejected] = []
    for one in file.utterances:
        # The only text column of a row is the reference, unless its name says that it is the hypothesis.
        if one.reference is None and one.column in HYPOTHESES:
            raise UserError(
                f"{path}:{one.line}: column {one.column!r} contains hypotheses, not references; name a manifest, "
                "or references in a column such as text"
            )
        text = one.reference if one.reference is not None else one.marked or one.hypothesis
        if text.strip() or (not text and silence and states_silence(file.format)):
            duration = one.duration or UNKNOWN_DURATION
            rows.append(Utterance(id=one.id, text=" ".join(text.split()), duration=duration, line=one.line))
        else:
            rejected.append(Rejected(one.line, one.id, "empty text"))
    return Manifest(rows, rejected)


def included_references(path: Path, *, silence: bool) -> Manifest:
    """The references that a transcript file includes. Raises UserError for the first line without one."""
    file = read_transcript_file(path)
    missing = [one for one in file.utterances if one.reference is None]
    if file.format == "ctm" or missing or not file.utterances:
        where = f":{missing[0].line}" if missing else ""
        raise UserError(
            f"{path}{where}: no reference to score against; name a manifest, which may contain references only "
            "(JSON lines or CSV with id and text, Kaldi text, trn)"
        )
    return _from_transcripts(path, silence)
