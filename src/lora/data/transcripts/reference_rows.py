"""Rows of an evaluation without their audio: references with ids, and durations where they are known.

Reads a manifest of any format, whose audio need not exist, references in Kaldi text or trn, or transcripts that include
their references. An unknown duration is 0. In an evaluation, an explicitly empty text is a row of silence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from lora.data.audio.headers import header_seconds
from lora.data.column_names import folded_name, shown_columns
from lora.data.formats.interface import Entry, Reading
from lora.data.formats.registry import FORMATS as MANIFEST_FORMATS
from lora.data.formats.registry import read_references
from lora.data.manifest import Manifest
from lora.data.manifest_lines import JSON_SUFFIXES, text_lines, text_suffix
from lora.data.manifest_rows import Rejected
from lora.data.row_fields import RowError, row_fields
from lora.data.source import AUTO, Source, states_silence
from lora.data.transcripts import stm
from lora.data.transcripts.column_rows import has_texts_by_id
from lora.data.transcripts.columns import HYPOTHESES, REFERENCES, ExternalTranscript
from lora.data.transcripts.files import FORMATS, GUESSED_FROM, read_transcript_file
from lora.data.transcripts.predictions import looks_like_lists
from lora.records.base import UserError
from lora.records.manifests import Utterance

UNKNOWN_DURATION = 0.0
ANY_TEXTS = {*HYPOTHESES, *REFERENCES}
MANIFESTS = {*JSON_SUFFIXES, ".csv", ".tsv", ".parquet"}


def reference_rows(source: Source, *, silence: bool) -> Manifest:
    """Read references; every line becomes a row or a rejected line.

    Args:
        source: manifest, references, or transcripts that include them; its format may be one of each kind.
        silence: whether an explicitly empty text is a row of silence, as in an evaluation, and not a missing one.

    Raises:
        UserError: for a file without references.
    """
    path = source.path
    if source.format == AUTO or source.format in MANIFEST_FORMATS:
        named = source.format != AUTO or path.is_dir() or text_suffix(path) in MANIFESTS
        reading = read_references(source) if named and not _is_lists(path) else None
        if reading is not None and any(_is_row(entry, reading) for entry in reading.entries):
            return _from_manifest(reading, silence and states_silence(reading.format))
        if reading is not None and "text" not in source.columns:
            if (name := _reference_column(reading)) is not None:
                return reference_rows(replace(source, columns={**source.columns, "text": name}), silence=silence)
            _require_text(path, reading)
    columns = dict(source.columns)
    if "text" in columns:  # the only text of a row, or next to a hypothesis that does not matter here
        columns["reference"] = columns["hypothesis"] = columns.pop("text")
    return _from_transcripts(path, silence, source.format if source.format in FORMATS else None, columns)


def _is_lists(path: Path) -> bool:
    """Whether a file is one JSON object of lists, which no manifest is.

    A damaged line, which a manifest may have, does not decide that.
    """
    if not path.is_file() or path.suffix.lower() != ".json":
        return False
    first = list(islice((line for _, line in text_lines(path) if line is not None and line.strip()), GUESSED_FROM))
    return bool(first) and looks_like_lists(first)


def _is_row(entry: Entry, reading: Reading) -> bool:
    """Whether a row is one of a manifest: it names audio, or has an id and a single text."""
    if not isinstance(entry.row, dict):
        return False
    named = {field for field in ("audio", "samples", "id", "text") if reading.columns.has(entry.row, field)}
    if named & {"audio", "samples"}:
        return True
    return {"id", "text"} <= named and sum(folded_name(str(name)) in ANY_TEXTS for name in entry.row) <= 1


def _reference_column(reading: Reading) -> str | None:
    """The only column of texts of the first row, where its name is one of references."""
    row: Mapping[str, Any] = next((row for _, row in reading.rows()), {})
    texts = [str(name) for name in row if folded_name(str(name)) in ANY_TEXTS]
    return texts[0] if len(texts) == 1 and folded_name(texts[0]) in REFERENCES else None


def _require_text(path: Path, reading: Reading) -> None:
    """Raise UserError where no row has a column of texts."""
    rows = list(reading.rows())
    if text_suffix(path) in JSON_SUFFIXES and len(rows) == 1 and has_texts_by_id(rows[0][1]):
        return
    if rows and not any(folded_name(str(name)) in ANY_TEXTS for _, row in rows for name in row):
        raise UserError(
            f"{path}:{rows[0][0].line}: no column of references: expected one of {', '.join(REFERENCES)}. Name theirs "
            f"(in a quick comparison `--manifest-columns text=COLUMN`); found {shown_columns(rows[0][1])}"
        )


def _from_manifest(reading: Reading, silence: bool) -> Manifest:
    rows: dict[str, Utterance] = {}
    rejected = []
    for entry in reading.entries:
        if isinstance(entry.row, str):
            rejected.append(Rejected(entry.line, entry.id, entry.row))
            continue
        try:
            fields = row_fields(entry.row, entry.line, reading.columns, silence=silence, needs_audio=False)
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
    return Manifest(list(rows.values()), rejected, reading.folder, reading.format, notes=tuple(reading.notes))


def _duration(fields: dict[str, Any], folder: Path) -> float:
    """Seconds from the manifest, else from the header of the audio file where it exists."""
    if fields["duration"] is not None:
        return float(fields["duration"])
    if fields["audio"] is None:
        return UNKNOWN_DURATION
    length = header_seconds(str(folder / fields["audio"]))
    return max(0.0, length - (fields["offset"] or 0.0)) if isinstance(length, float) else UNKNOWN_DURATION


def _from_transcripts(
    path: Path, silence: bool, format: str | None = None, columns: Mapping[str, str] | None = None
) -> Manifest:
    file = read_transcript_file(path, format, columns)
    if file.timed:
        article = "a ctm" if file.format == "ctm" else "timed segments"
        contains = "contains" if file.format == "ctm" else "are read as"
        raise UserError(
            f"{path}: {article} {contains} hypotheses, not references; name a manifest, or references as stm or trn"
        )
    rows: list[Utterance] = []
    rejected: list[Rejected] = []
    word_times = stm.word_times(file.utterances)
    for one in file.utterances:
        if stm.is_ignored(one):
            continue
        # The only text column of a row is the reference, unless its name says that it is the hypothesis.
        if one.reference is None and folded_name(one.column or "") in HYPOTHESES:
            raise UserError(
                f"{path}:{one.line}: column {one.column!r} contains hypotheses, not references; name a manifest, "
                "or references in a column such as text"
            )
        text = one.reference if one.reference is not None else one.marked or one.hypothesis
        if text.strip() or (not text and silence and states_silence(file.format)):
            rows.append(_row(one, " ".join(text.split()), word_times.get(one.id)))
        else:
            rejected.append(Rejected(one.line, one.id, "empty text"))
    return Manifest(rows, rejected, format=file.format, notes=tuple(file.encoding))


def _row(one: ExternalTranscript, text: str, word_times: tuple[float, float | None] | None) -> Utterance:
    row = Utterance(id=one.id, text=text, duration=one.duration or UNKNOWN_DURATION, line=one.line)
    if one.segment is None:
        return row
    piece = one.segment
    return replace(
        row,
        audio=piece.recording,
        offset=piece.start,
        channel=piece.channel,
        speaker_id=piece.speaker,
        word_times=word_times,
    )


def included_references(
    path: Path, format: str | None = None, columns: Mapping[str, str] | None = None, *, silence: bool
) -> Manifest:
    """The references that a transcript file includes. Raises UserError for the first line without one."""
    file = read_transcript_file(path, format, columns)
    missing = [one for one in file.utterances if one.reference is None]
    if file.timed or missing or not file.utterances:
        where = f":{missing[0].line}" if missing else ""
        raise UserError(
            f"{path}{where}: no reference to score against; name a manifest, which may contain references only "
            "(JSON lines or CSV with id and text, Kaldi text, trn, stm)"
        )
    return _from_transcripts(path, silence, format, columns)
