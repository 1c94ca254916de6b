"""Read a manifest of any dialect into utterances, and say of every row that cannot be used where and why.

Nothing is dropped in silence: each line that is not blank becomes a row or a `Rejected`. Audio that has a
duration in the manifest is only looked up (it must exist and not be empty); otherwise its header is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lora.data.dialects import SYNONYMS, RowError, has_column, row_fields
from lora.data.headers import read_headers
from lora.data.manifest_files import parsed_lines
from lora.records import AudioMeasure, UserError, Utterance, read_lines


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be used; `id` is null where the line does not even tell that."""

    line: int
    id: str | None
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Usable rows in the order of the file, and the lines that are not usable in the order of the file."""

    rows: list[Utterance]
    rejected: list[Rejected]


def read_manifest(path: Path | str) -> Manifest:
    """Raises UserError when the file is unreadable as a whole: missing, not text, or no line has the
    columns needed.
    """
    path = Path(path)
    drafts: list[tuple[int, dict[str, Any]]] = []
    rejected: list[Rejected] = []
    records = list(parsed_lines(path))
    _require_columns(path, records)
    for line, record in records:
        if isinstance(record, str):
            rejected.append(Rejected(line, None, record))
            continue
        try:
            fields = row_fields(record, line)
            _require_file(fields, path.parent)
        except RowError as error:
            rejected.append(Rejected(line, _written_id(record), str(error)))
        else:
            drafts.append((line, fields))
    rows: list[Utterance] = []
    first_line: dict[str, int] = {}
    for line, fields, reason in _with_durations(drafts, path.parent):
        if reason is None and fields["id"] in first_line:
            reason = f"duplicate id, first used in line {first_line[fields['id']]}"
        if reason is not None:
            rejected.append(Rejected(line, fields["id"], reason))
            continue
        first_line[fields["id"]] = line
        rows.append(Utterance(**fields))
    return Manifest(rows, sorted(rejected, key=lambda entry: entry.line))


def without_damaged(manifest: Manifest, measures: Iterable[AudioMeasure]) -> Manifest:
    """Rows whose audio turned out not to decode move to the rejected lines, with the reason."""
    problems = {measure.id: measure.problem for measure in measures if measure.problem is not None}
    kept = [row for row in manifest.rows if row.id not in problems]
    damaged = [Rejected(row.line or 0, row.id, str(problems[row.id])) for row in manifest.rows if row.id in problems]
    return Manifest(kept, sorted([*manifest.rejected, *damaged], key=lambda entry: entry.line))


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


def _require_columns(path: Path, records: list[tuple[int, dict[str, Any] | str]]) -> None:
    if not records:
        return
    usable = [record for _, record in records if isinstance(record, dict)]
    if not usable:
        line, reason = records[0]
        raise UserError(f"{path}:{line}: none of {len(records)} lines can be read; the first: {reason}")
    for field in ("audio", "text"):
        inline = field == "audio" and any("samples" in record for record in usable)
        if not inline and not any(has_column(record, field) for record in usable):
            found = ", ".join(sorted({str(name) for record in usable for name in record})[:12]) or "none"
            expected = ", ".join(SYNONYMS[field])
            raise UserError(f"{path}: no column for {field}: expected one of {expected}; found {found}")


def _require_file(fields: dict[str, Any], folder: Path) -> None:
    if "audio" not in fields:
        return
    try:
        size = (folder / fields["audio"]).stat().st_size
    except (OSError, ValueError):
        raise RowError(f"missing file: {fields['audio']}") from None
    if size == 0:
        raise RowError(f"unreadable audio: {fields['audio']} is an empty file")


def _written_id(record: dict[str, Any]) -> str | None:
    for field in ("id", *SYNONYMS["audio"]):
        if isinstance(record.get(field), str | int) and record[field] != "":
            return str(record[field])
    return None


def _with_durations(
    drafts: list[tuple[int, dict[str, Any]]], folder: Path
) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """(line, fields, reason to reject), durations filled from headers where the manifest has none."""
    asked = [index for index, (_, fields) in enumerate(drafts) if fields["duration"] is None]
    paths = [str(folder / drafts[index][1]["audio"]) for index in asked]
    lengths = dict(zip(asked, read_headers(paths), strict=True))
    for index, (line, fields) in enumerate(drafts):
        length = lengths.get(index)
        if isinstance(length, str):
            yield line, fields, length
            continue
        if length is not None:
            fields["duration"] = length - (fields["offset"] or 0.0)
        if fields["duration"] <= 0:
            yield (
                line,
                fields,
                "zero length: no audio after the offset" if fields["offset"] else "zero length",
            )
        else:
            yield line, fields, None
