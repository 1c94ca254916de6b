"""Read a manifest of any dialect into utterances, and say of every row that cannot be used where and why.

Nothing is dropped in silence: each line that is not blank becomes a row or a `Rejected`. Audio that has a
duration in the manifest is only looked up (it must exist and not be empty); otherwise its header is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lora.data.audio.headers import read_headers
from lora.data.formats.reading import Entry, Reading
from lora.data.formats.registry import read_source
from lora.data.row_fields import Columns, RowError, row_fields
from lora.data.source import Source
from lora.records.base import UserError, read_lines
from lora.records.integrity import AudioMeasure
from lora.records.manifests import Utterance


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be used; `id` is null where the line does not even tell that."""

    line: int
    id: str | None
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Usable rows in the order of the file, and the lines that are not usable in the order of the file.

    `folder` is where relative audio paths of the rows start. `format` is how the manifest was read, `columns` the names
    under which it holds our fields, where it is a table.
    """

    rows: list[Utterance]
    rejected: list[Rejected]
    folder: Path = Path()
    format: str = "jsonl"
    columns: Mapping[str, str] = field(default_factory=dict)


def read_manifest(source: Source | Path | str, unpacked: Path | None = None) -> Manifest:
    """Raises UserError when the manifest is unreadable as a whole: missing, not text, or without the columns needed.

    `unpacked` is where recordings were written that lie inside the manifest's own files.
    """
    source = source if isinstance(source, Source) else Source(Path(source))
    reading = read_source(source, unpacked)
    columns = _columns_of(source.path, reading)
    drafts: list[tuple[Entry, dict[str, Any]]] = []
    rejected: list[Rejected] = []
    for entry in reading.entries:
        if isinstance(entry.row, str):
            rejected.append(_rejected(entry, entry.id, entry.row))
            continue
        try:
            fields = row_fields(entry.row, entry.line, reading.columns)
            if reading.channel is not None:
                fields["channel"] = reading.channel
            _require_file(fields, reading.folder)
        except RowError as error:
            rejected.append(_rejected(entry, _written_id(entry.row, reading.columns), str(error), error.field))
        else:
            drafts.append((entry, fields))
    rows: list[Utterance] = []
    first: dict[str, Entry] = {}
    for entry, fields, reason, at_fault in _with_durations(drafts, reading.folder):
        if reason is None and fields["id"] in first:
            reason, at_fault = f"duplicate id, first used in line {first[fields['id']].line}", "id"
        if reason is not None:
            rejected.append(_rejected(entry, fields["id"], reason, at_fault))
            continue
        first[fields["id"]] = entry
        rows.append(Utterance(**fields))
    rejected.sort(key=lambda row: row.line)
    return Manifest(rows, rejected, reading.folder, reading.format, columns)


def _rejected(entry: Entry, identity: str | None, reason: str, field: str | None = None) -> Rejected:
    """Where a manifest is several files, the reason ends with the one to look at for the field at fault."""
    place = entry.place_of(field)
    return Rejected(entry.line, identity, reason if place is None else f"{reason} ({place})")


def without_damaged(manifest: Manifest, measures: Iterable[AudioMeasure]) -> Manifest:
    """Rows whose audio turned out not to decode move to the rejected lines, with the reason."""
    problems = {measure.id: measure.problem for measure in measures if measure.problem is not None}
    kept = [row for row in manifest.rows if row.id not in problems]
    damaged = [Rejected(row.line or 0, row.id, str(problems[row.id])) for row in manifest.rows if row.id in problems]
    rejected = sorted([*manifest.rejected, *damaged], key=lambda entry: entry.line)
    return replace(manifest, rows=kept, rejected=rejected)


def read_rows(path: Path | str) -> list[Utterance]:
    """Canonical rows, as this software wrote them: no audio is looked up again."""
    try:
        return list(read_lines(path, Utterance))
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of rows") from None


def rebase(rows: Iterable[Utterance], source: Path | str, target: Path | str) -> Iterator[Utterance]:
    """The same rows for a file in folder `target` instead of `source`; absolute paths stay as they were
    written.
    """
    route = _route(Path(source), Path(target))
    for row in rows:
        if row.audio is None or Path(row.audio).is_absolute():
            yield row
        else:
            yield row.model_copy(update={"audio": os.path.normpath(Path(route, row.audio))})


def _route(source: Path, target: Path) -> str:
    """Relative path from one folder to the other: as written, unless a symbolic link makes that lead
    elsewhere.
    """
    target.mkdir(parents=True, exist_ok=True)
    route = os.path.relpath(source, target)
    try:
        direct = (target / route).samefile(source)
    except OSError:
        direct = False
    return route if direct else os.path.relpath(source.resolve(), target.resolve())


def _columns_of(path: Path, reading: Reading) -> dict[str, str]:
    """Which column of a table holds which field.

    Raises UserError where no line can be read, a column that a person named is not there, or none holds audio or text.
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
    found = ", ".join(sorted(names)[:12]) or "none"
    for field_name, mapped in reading.columns.mapped.items():
        if mapped not in names:
            raise UserError(f"{path}: columns.{field_name} names '{mapped}', which is no column; found {found}")
    for needed in ("audio", "text"):
        inline = needed == "audio" and reading.columns.names["samples"][0] in names
        if not inline and not names.intersection(reading.columns.names[needed]):
            expected = ", ".join(reading.columns.names[needed])
            raise UserError(f"{path}: no column for {needed}: expected one of {expected}; found {found}")
    held = {kind: [name for name in options if name in names] for kind, options in reading.columns.names.items()}
    return {kind: options[0] for kind, options in held.items() if options}


def _require_file(fields: dict[str, Any], folder: Path) -> None:
    if "audio" not in fields:
        return
    try:
        size = (folder / fields["audio"]).stat().st_size
    except (OSError, ValueError):
        raise RowError(f"missing file: {fields['audio']}", "audio") from None
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
    """(entry, fields, reason to reject, field at fault), durations filled from headers where the manifest has none."""
    asked = [index for index, (_, fields) in enumerate(drafts) if fields["duration"] is None]
    paths = [str(folder / drafts[index][1]["audio"]) for index in asked]
    lengths = dict(zip(asked, read_headers(paths), strict=True))
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
