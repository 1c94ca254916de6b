"""Read a manifest of any format into utterances, and report every row that cannot be used with its line and reason.

Nothing is dropped silently: each line that is not empty becomes a row or a `Rejected`. Where the manifest gives a
duration, the audio file only has to exist and not be empty; otherwise its header is read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lora.data.audio.headers import read_headers
from lora.data.audio.limits import seconds_problem
from lora.data.column_names import Columns
from lora.data.formats.interface import Entry, Reading, found_path
from lora.data.formats.registry import BROKEN, read_source
from lora.data.row_fields import RowError, row_fields
from lora.data.source import Source, states_silence
from lora.records.base import UserError, read_lines
from lora.records.integrity import AudioMeasure
from lora.records.manifests import Utterance

COLUMNS_NAMED = 12  # in an error message


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be used; `id` is None where it could not be read."""

    line: int
    id: str | None
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Usable rows and rejected lines, both in the order of the file.

    Attributes:
        folder: where relative audio paths of the rows start.
        format: name of the manifest's format.
        columns: our field names to the manifest's column names, where it is a table.
        notes: what a person should know about how the manifest was read.
    """

    rows: list[Utterance]
    rejected: list[Rejected]
    folder: Path = Path()
    format: str = "jsonl"
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


def read_manifest(source: Source | Path | str, unpacked: Path | None = None) -> Manifest:
    """Read a manifest of any format.

    Args:
        source: the manifest.
        unpacked: folder to which `unpack_audio` wrote the recordings of a manifest that contains them.

    Raises:
        UserError: where the manifest as a whole cannot be read: missing, not text, or without the required columns.
    """
    source = source if isinstance(source, Source) else Source(Path(source))
    reading = read_source(source, unpacked)
    columns = _columns_of(source.path, reading)
    silence = source.silence and states_silence(reading.format)
    drafts: list[tuple[Entry, dict[str, Any]]] = []
    rejected: list[Rejected] = []
    for entry in reading.entries:
        if isinstance(entry.row, str):
            rejected.append(_rejected(entry, entry.id, entry.row))
            continue
        try:
            fields = row_fields(entry.row, entry.line, reading.columns, silence=silence)
            if reading.channel is not None:
                fields["channel"] = reading.channel
            _require_file(fields, reading.folder)
        except RowError as error:
            rejected.append(_rejected(entry, _written_id(entry.row, reading.columns), str(error), error.field))
        except BROKEN as error:  # whatever is wrong with a row costs this row only
            rejected.append(_rejected(entry, None, f"cannot be read: {' '.join(str(error).split())[:300]}"))
        else:
            drafts.append((entry, fields))
    rows: list[Utterance] = []
    first: dict[str, Entry] = {}
    for entry, fields, reason, at_fault in _with_durations(drafts, reading.folder):
        if reason is None and fields["id"] in first:
            reason = f"duplicate id, first used in line {first[fields['id']].line}"
            at_fault = "id"
        if reason is not None:
            rejected.append(_rejected(entry, fields["id"], reason, at_fault))
            continue
        first[fields["id"]] = entry
        rows.append(Utterance(**fields))
    rejected.sort(key=lambda row: row.line)
    return Manifest(rows, rejected, reading.folder, reading.format, columns, tuple(reading.notes))


def _rejected(entry: Entry, identity: str | None, reason: str, field: str | None = None) -> Rejected:
    """Where a manifest consists of several files, the reason ends with the file and line of the field at fault."""
    place = entry.place_of(field)
    return Rejected(entry.line, identity, reason if place is None else f"{reason} ({place})")


def without_damaged(manifest: Manifest, measures: Iterable[AudioMeasure]) -> Manifest:
    """The manifest with rows whose audio cannot be decoded moved to the rejected lines."""
    problems = {measure.id: measure.problem for measure in measures if measure.problem is not None}
    decodable = [row for row in manifest.rows if row.id not in problems]
    damaged = [Rejected(row.line or 0, row.id, str(problems[row.id])) for row in manifest.rows if row.id in problems]
    rejected = sorted([*manifest.rejected, *damaged], key=lambda entry: entry.line)
    return replace(manifest, rows=decodable, rejected=rejected)


def read_rows(path: Path | str) -> list[Utterance]:
    """Rows that this software wrote; their audio is not looked up again."""
    try:
        return list(read_lines(path, Utterance))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of rows; run validate_manifest.py first") from None


def rebase(rows: Iterable[Utterance], source: Path | str, target: Path | str) -> Iterator[Utterance]:
    """The same rows with audio paths relative to folder `target` instead of `source`; absolute paths stay."""
    source, target = Path(source), Path(target)
    route = _route(source, target)
    for row in rows:
        if row.audio is None or Path(row.audio).is_absolute():
            yield row
        else:
            yield row.model_copy(update={"audio": _moved(row.audio, source, target, route)})


def _moved(audio: str, source: Path, target: Path, route: str) -> str:
    """A path from `target` to the file that `audio` names from `source`."""
    short = os.path.normpath(Path(route, audio))
    if ".." not in Path(audio).parts:
        return short
    try:
        same = (target / short).samefile(source / audio)
    except OSError:
        same = False
    # `link/../x` is next to the folder that the link leads to, not next to the link.
    return short if same else os.path.relpath((source / audio).resolve(), target.resolve())


def _route(source: Path, target: Path) -> str:
    """Relative path from `target` to `source`, with symbolic links resolved where they would lead elsewhere."""
    target.mkdir(parents=True, exist_ok=True)
    route = os.path.relpath(source, target)
    try:
        direct = (target / route).samefile(source)
    except OSError:
        direct = False
    return route if direct else os.path.relpath(source.resolve(), target.resolve())


def _columns_of(path: Path, reading: Reading) -> dict[str, str]:
    """Our field names to the column names of a table.

    Raises:
        UserError: where no line can be read, a configured column is missing, or there is none for audio or text.
    """
    if not reading.table or not reading.entries:
        return {}
    rows = [entry.row for entry in reading.entries if isinstance(entry.row, dict)]
    if not rows:
        first = reading.entries[0]
        raise UserError(
            f"{path}:{first.line}: none of {len(reading.entries)} lines can be read; the first: {first.row}"
        )
    names = {str(name) for row in rows for name in row}
    present = ", ".join(sorted(names)[:COLUMNS_NAMED]) or "none"
    for field_name, mapped in reading.columns.mapped.items():
        if mapped not in names:
            raise UserError(f"{path}: columns.{field_name} is '{mapped}', which is not a column; found {present}")
    for needed in ("audio", "text"):
        inline = needed == "audio" and reading.columns.names["samples"][0] in names
        if not inline and not names.intersection(reading.columns.names[needed]):
            expected = ", ".join(reading.columns.names[needed])
            raise UserError(
                f"{path}: no column for {needed}: expected one of {expected}; found {present}. Name it with `columns`."
            )
    columns: dict[str, str] = {}
    for field_name, synonyms in reading.columns.names.items():
        column = next((name for name in synonyms if name in names), None)
        if column is not None:
            columns[field_name] = column
    return columns


def _require_file(fields: dict[str, Any], folder: Path) -> None:
    if "audio" not in fields:
        return
    fields["audio"] = found_path(folder, str(fields["audio"]))
    try:
        found = (folder / fields["audio"]).stat()
    except (OSError, ValueError):
        raise RowError(f"missing file: {fields['audio']}", "audio") from None
    if not stat.S_ISREG(found.st_mode):
        raise RowError(f"unreadable audio: {fields['audio']} is not a file but a folder, pipe or device", "audio")
    size = found.st_size
    for name in ("offset", "duration"):
        if fields[name] is not None and (problem := seconds_problem(name, fields[name], size)) is not None:
            raise RowError(problem, name)
    if size == 0:
        raise RowError(f"unreadable audio: {fields['audio']} is an empty file", "audio")


def _written_id(row: dict[str, Any], columns: Columns) -> str | None:
    for name in ("id", *columns.names["id"], *columns.names["audio"]):
        if isinstance(row.get(name), str | int) and row[name] != "":
            return str(row[name])
    return None


def _with_durations(
    drafts: list[tuple[Entry, dict[str, Any]]], folder: Path
) -> Iterator[tuple[Entry, dict[str, Any], str | None, str | None]]:
    """(entry, fields, reason to reject, field at fault), with durations from headers where the manifest has none."""
    missing = [index for index, (_, fields) in enumerate(drafts) if fields["duration"] is None]
    paths = [str(folder / drafts[index][1]["audio"]) for index in missing]
    lengths = dict(zip(missing, read_headers(paths), strict=True))
    for index, (entry, fields) in enumerate(drafts):
        length = lengths.get(index)
        if isinstance(length, str):
            yield entry, fields, length, "audio"
            continue
        if length is not None:
            fields["duration"] = length - (fields["offset"] or 0.0)
        if fields["duration"] <= 0:
            if fields["offset"]:
                yield entry, fields, "zero length: no audio after the offset", "offset"
            else:
                yield entry, fields, "zero length", "audio"
        else:
            yield entry, fields, None, None
