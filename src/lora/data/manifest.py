"""Read a manifest of any format into utterances, and report every row that cannot be used with its line and reason.

Nothing is dropped silently: each line that is not empty becomes a row or a `Rejected`. Where the manifest gives a
duration, the audio file only has to exist and not be empty; otherwise its header is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.data.column_names import shown_columns
from lora.data.formats.interface import Reading
from lora.data.formats.registry import read_source
from lora.data.manifest_lines import JSON_SUFFIXES, text_suffix
from lora.data.manifest_rows import Rejected, usable_rows
from lora.data.source import Source, states_silence
from lora.records.base import UserError, read_lines
from lora.records.kept import content, is_keeping
from lora.records.manifests import Utterance


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


@dataclass(frozen=True)
class OpenManifest:
    """A manifest whose rows are read one after the other, so that a million of them need not be in memory.

    Attributes:
        folder, format, columns, notes: as of `Manifest`.
    """

    folder: Path
    format: str
    columns: Mapping[str, str]
    notes: Sequence[str]
    _reading: Reading
    _silence: bool

    def rows(self) -> Iterator[Utterance | Rejected]:
        """Every row in the order of the file."""
        return usable_rows(self._reading, silence=self._silence)


def open_manifest(source: Source, unpacked: Path | None = None) -> OpenManifest:
    """Open a manifest of any format.

    Args:
        source: the manifest.
        unpacked: folder to which `unpack_audio` wrote the recordings of a manifest that contains them.

    Raises:
        UserError: where the manifest as a whole cannot be read: missing, not text, or without the required columns.
    """
    reading = read_source(source, unpacked)
    columns = _columns_of(source.path, reading)
    silence = source.silence and states_silence(reading.format)
    return OpenManifest(reading.folder, reading.format, columns, tuple(reading.notes), reading, silence)


def read_manifest(source: Source | Path | str, unpacked: Path | None = None) -> Manifest:
    """Read a manifest of any format as a whole, with arguments and errors of `open_manifest`."""
    found = open_manifest(source if isinstance(source, Source) else Source(Path(source)), unpacked)
    rows: list[Utterance] = []
    rejected: list[Rejected] = []
    for row in found.rows():
        if isinstance(row, Rejected):
            rejected.append(row)
        else:
            rows.append(row)
    rejected.sort(key=lambda row: row.line)
    return Manifest(rows, rejected, found.folder, found.format, found.columns, found.notes)


def without_undecodable(
    rows: Iterable[Utterance | Rejected], problems: Mapping[str, str]
) -> Iterator[Utterance | Rejected]:
    """The rows of a manifest, rejected where their audio cannot be decoded (`problems` by row id)."""
    for row in rows:
        if isinstance(row, Utterance) and row.id in problems:
            yield Rejected(row.line or 0, row.id, problems[row.id])
        else:
            yield row


def read_rows(path: Path | str) -> list[Utterance]:
    """Rows that this software wrote; their audio is not looked up again."""
    return content(path, lambda file: list(_rows(file)))


def iterate_rows(path: Path | str) -> Iterator[Utterance]:
    """The rows of `read_rows`, read one after the other where they do not stay in memory anyway."""
    return iter(read_rows(path)) if is_keeping() else _rows(path)


def _rows(path: Path | str) -> Iterator[Utterance]:
    try:
        yield from read_lines(path, Utterance)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file of rows; run validate_manifest.py first") from None


def rebase(rows: Iterable[Utterance], source: Path | str, target: Path | str) -> Iterator[Utterance]:
    """The same rows with audio paths relative to folder `target` instead of `source`; absolute paths stay."""
    return map(AudioPaths(source, target).of, rows)


class AudioPaths:
    """Audio paths relative to folder `target` instead of `source`; absolute paths stay."""

    def __init__(self, source: Path | str, target: Path | str) -> None:
        self._source, self._target = Path(source), Path(target)
        self._route = os.path.normpath(_route(self._source, self._target))

    def of(self, row: Utterance) -> Utterance:
        """The row with its moved audio path."""
        if row.audio is None or os.path.isabs(row.audio):  # noqa: PTH117 (a Path takes ten times as long)
            return row
        moved = self._moved(row.audio)
        return row if moved == row.audio else replace(row, audio=moved)

    def _moved(self, audio: str) -> str:
        """A path from `target` to the file that `audio` names from `source`."""
        short = os.path.normpath(f"{self._route}/{audio}")
        if ".." not in audio or ".." not in Path(audio).parts:
            return short
        try:
            same = (self._target / short).samefile(self._source / audio)
        except OSError:
            same = False
        # `link/../x` is next to the folder that the link leads to, not next to the link.
        return short if same else os.path.relpath((self._source / audio).resolve(), self._target.resolve())


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
    if not reading.table:
        return {}
    names = {str(name) for name in reading.names}
    if not names and not any(isinstance(entry.row, dict) for entry in reading.entries):
        first = next(iter(reading.entries), None)
        if first is None:
            return {}
        count = sum(1 for _ in reading.entries)
        is_other = reading.format == "jsonl" and text_suffix(path) not in JSON_SUFFIXES
        hint = ". It was read as JSON lines; for a table, set `format: csv` or `format: tsv`" if is_other else ""
        raise UserError(f"{path}:{first.line}: none of {count} lines can be read; the first: {first.row}{hint}")
    present = shown_columns(sorted(names))
    for field_name, mapped in reading.columns.mapped.items():
        if mapped not in names:
            raise UserError(f"{path}: columns.{field_name} is '{mapped}', which is not a column; found {present}")
    for needed in ("audio", "text"):
        inline = needed == "audio" and reading.columns.names["samples"][0] in names
        if not inline and not names.intersection(reading.columns.names[needed]):
            expected = ", ".join(reading.columns.names[needed])
            is_text = text_suffix(path) in {".csv", ".tsv"}
            hint = " If the first line is a row, add one with the names of the columns above it." if is_text else ""
            raise UserError(
                f"{path}: no column for {needed}: expected one of {expected}; found {present}. Name it with "
                f"`columns`.{hint}"
            )
    columns: dict[str, str] = {}
    for field_name, synonyms in reading.columns.names.items():
        column = next((name for name in synonyms if name in names), None)
        if column is not None:
            columns[field_name] = column
    return columns
