"""What a manifest format describes of itself, and what its reader returns."""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from lora.data.column_names import Columns
from lora.data.existing_files import exists, is_file
from lora.data.json_rows import document_rows, is_document
from lora.data.manifest_lines import separator_of, text_kind
from lora.data.source import Source
from lora.data.text_encoding import UnknownEncodingError, as_utf8, with_line_feeds
from lora.records.base import UserError

PARQUET_START = b"PAR1"
ARROW_STARTS = (b"ARROW1", b"\xff\xff\xff\xff")
PATHS_TRIED = 20  # audio paths that `audio_root` looks up per folder
LOCAL_URL = re.compile(r"file://(localhost)?(?=/)", re.IGNORECASE)
URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
ROWS_COMPARED = 50  # of a JSON file, by which formats recognise it


class Entry(NamedTuple):
    """One row of a manifest: its columns, or the reason why it is broken.

    `line` counts from 1: the line of the file, or the row of a data set without lines. `place` is the file and line to
    look at where that is not the manifest itself, `places` the same for single fields. `id` names a broken row where
    its id could be read.
    """

    line: int
    row: dict[str, Any] | str
    place: str | None = None
    id: str | None = None
    places: Mapping[str, str] | None = None

    def place_of(self, field: str | None) -> str | None:
        """File and line of a field, for an error message."""
        return (self.places or {}).get(field or "", self.place)


class Entries:
    """Rows that are made anew at each iteration, so that they need not be in memory together."""

    def __init__(self, make: Callable[[], Iterator[Entry]]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Entry]:
        return self._make()


@dataclass(frozen=True)
class Reading:
    """What a reader returns.

    Attributes:
        folder: where relative audio paths start.
        entries: rows in the order of the manifest; they can be iterated again.
        columns: which column contains which field.
        channel: the channel (from 0) to use of every file; None where each row names its own or all are mixed.
        table: whether the author of the manifest chose the column names; readers of other formats set them.
        notes: what a person should know about how the manifest was read.
        names: the column names of a table, in order of appearance.
        no_audio: why none of its audio can be found, where the reader knows; its references can be used.
    """

    format: str
    folder: Path
    entries: Iterable[Entry]
    columns: Columns
    channel: int | None = None
    table: bool = True
    notes: Sequence[str] = ()
    names: Collection[str] = ()
    no_audio: str | None = None

    def rows(self) -> Iterator[tuple[Entry, Mapping[str, Any]]]:
        """The entries that are not broken, each with its row."""
        return ((entry, entry.row) for entry in self.entries if isinstance(entry.row, dict))


@dataclass(frozen=True)
class FileSample:
    """The decompressed beginning of a manifest file, from which formats recognise their own."""

    path: Path
    start: bytes

    @property
    def kind(self) -> str:
        """parquet or arrow by the first bytes; csv, tsv or jsonl by the suffix."""
        if self.start.startswith(PARQUET_START):
            return "parquet"
        if self.start.startswith(ARROW_STARTS) and self.path.suffix == ".arrow":
            return "arrow"
        return text_kind(self.path)

    @cached_property
    def header(self) -> frozenset[str]:
        """Column names of a CSV or TSV file; empty for other files."""
        if self.kind not in {"csv", "tsv"}:
            return frozenset()
        separator = separator_of(self.text, "\t" if self.kind == "tsv" else ",")
        first = next((line for line in self.text.decode(errors="replace").splitlines() if line.strip()), "")
        try:
            names = first.split("\t") if separator == "\t" else next(csv.reader([first], delimiter=separator), [])
        except csv.Error:  # the reader reports what is wrong
            return frozenset()
        return frozenset(name.strip().strip('"') for name in names)

    @cached_property
    def text(self) -> bytes:
        """The beginning as UTF-8; empty where its encoding cannot be recognised, which the reader reports."""
        try:
            return with_line_feeds(as_utf8(self.start, whole=False))
        except UnknownEncodingError:
            return b""

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """The first objects of a JSON file; empty for other files."""
        if self.kind != "jsonl":
            return []
        if is_document(self.text):
            values: Iterator[Any] = (row for _, row in document_rows(self.text.decode(errors="replace")))
        else:
            values = map(_json_value, self.text.split(b"\n"))
        return list(islice((value for value in values if isinstance(value, dict)), ROWS_COMPARED))

    def mostly(self, has_format: Callable[[Mapping[str, Any]], bool]) -> bool:
        """Whether half of the rows or more have a format: a damaged one must not decide how the others are read."""
        return 2 * sum(map(has_format, self.rows)) >= len(self.rows) > 0


def _json_value(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _manifest_itself(source: Source) -> list[Path]:
    return [source.path]


def _no_file(sample: FileSample) -> bool:
    return False


def _no_folder(folder: Path) -> bool:
    return False


def _no_split_file(folder: Path, split: str) -> Path | None:
    return None


def _no_splits(folder: Path) -> list[str]:
    return []


@dataclass(frozen=True)
class ManifestFormat:
    """A manifest format: everything that detection, reading, help, errors and docs need to know about it.

    Attributes:
        name: value of `format` in config.yaml and of `--format`.
        description: one line for docs and help.
        read: rows of a manifest; None where `unpack` first has to write recordings out of its files.
        matches_file: whether a file has this format. May raise UserError for a file that is only a part of a manifest.
        matches_folder: whether a folder has this format, by its layout.
        layout: files by which a folder of this format is recognised, for the error about an unknown folder.
        folder_only: whether the manifest is always a folder.
        searched_last: whether a folder is tested only after all others failed, because the test looks into subfolders.
        row_files: files that contain the rows, without audio files. A change of one of them invalidates the manifest.
        split_file: the file of a split in a folder that has one table per split.
        split_names: the splits of such a folder, for error messages.
        splits_inside: whether `row_files` selects the split by itself.
        unpack: writes recordings contained in `row_files` to a folder and returns the number of rows; None where audio
            is in files of its own.
        remote: whether the manifest is no path but a name elsewhere; then `format` has to be given.
    """

    name: str
    description: str
    read: Callable[[Source], Reading] | None
    matches_file: Callable[[FileSample], bool] = _no_file
    matches_folder: Callable[[Path], bool] = _no_folder
    layout: str = ""
    folder_only: bool = False
    searched_last: bool = False
    row_files: Callable[[Source], list[Path]] = _manifest_itself
    split_file: Callable[[Path, str], Path | None] = _no_split_file
    split_names: Callable[[Path], list[str]] = _no_splits
    splits_inside: bool = False
    unpack: Callable[[Source, list[Path], Path], int] | None = None
    remote: bool = False


def reject_settings(source: Source, *settings: str) -> None:
    """Raise UserError for a setting that has no meaning in the source's format, instead of ignoring it."""
    for name in settings:
        if getattr(source, name):
            raise UserError(
                f"{source.path}: `{name}` has no meaning for a manifest of format {source.format}; remove it"
            )


def audio_root(folder: Path, paths: Iterable[str]) -> Path:
    """The folder that relative audio paths start from, for tools that write them relative to their working folder.

    Tries the manifest's folder, each folder above it, then the working folder; returns the first of those in which the
    most of the first `PATHS_TRIED` paths are files: a damaged path may name something in another folder.
    """
    relative = [path for path in paths if not Path(path).is_absolute()][:PATHS_TRIED]
    root, most = folder, 0
    for start in (folder, *folder.parents, Path()):
        found = sum(is_file(start / found_path(start, path)) for path in relative)
        if found > most:
            root, most = start, found
        if most == len(relative):
            break
    return root


def found_path(folder: Path | str, written: str) -> str:
    """The path of an audio file as it was written, or where nothing has that name, as the file is named.

    Tables of Windows have `wavs\\a.wav`, macOS names files with decomposed letters (Unicode NFD), tables written by
    hand have spaces around their cells, and tools for labels write `file:///data/a.wav` (RFC 8089).
    """
    if written.isascii() and "\\" not in written and "://" not in written and written == written.strip():
        return written  # as most paths, without asking the file system
    path = written.strip().replace("\\", "/")
    if (local := LOCAL_URL.match(path)) is not None:
        path = unquote(path[local.end() :])
    others = (path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path))
    return next((name for name in (written, *others) if exists(os.path.join(folder, name))), written)  # noqa: PTH118
