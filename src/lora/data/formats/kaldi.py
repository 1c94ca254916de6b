"""Kaldi data folders: wav.scp, text, and where they exist segments, utt2spk, utt2dur and reco2dur.

Commands in wav.scp are never run: a reader of other people's data must not execute it.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora.data.column_names import Columns
from lora.data.existing_files import is_optional_file
from lora.data.formats.interface import Entry, FileSample, ManifestFormat, Reading, audio_root, reject_settings
from lora.data.manifest_lines import text_lines
from lora.data.source import Source
from lora.data.text_encoding import NOT_TEXT, notes_of_files
from lora.data.time_text import plain_number
from lora.records.base import UserError

NEEDED = ("wav.scp", "text")
OPTIONAL = ("segments", "utt2spk", "utt2dur", "reco2dur")
ARCHIVE = re.compile(r".*\.ark:\d+(\[.*\])?", re.DOTALL)
TO_THE_END = -1.0  # end of a segment that ends with its file
LINES = "expected lines of `key value`"


class _Unusable(Exception):
    """Why an utterance has no audio, and the file and line that show it."""

    def __init__(self, reason: str, place: str) -> None:
        super().__init__(reason)
        self.place = place


@dataclass(frozen=True)
class _Table:
    """A file of `key value` lines: by key, its line number and value; of other values for a key their line numbers."""

    name: str
    lines: dict[str, tuple[int, str]] = field(default_factory=dict)
    others: dict[str, int] = field(default_factory=dict)

    def value(self, key: str) -> str | None:
        """The value of a key, None without one. Raises _Unusable for a key with different values."""
        if key in self.others:
            raise _Unusable(
                f"two entries for {key} in {self.name} (first in line {self.lines[key][0]}); keep one",
                f"{self.name}:{self.others[key]}",
            )
        return self.lines[key][1] if key in self.lines else None

    def place(self, key: str) -> str:
        return f"{self.name}:{self.lines[key][0]}"


def kaldi_files(source: Source) -> list[Path]:
    """The files that are there. Raises UserError where a required one is missing, or an optional one is no file."""
    for name in NEEDED:
        if not (source.path / name).is_file():
            raise UserError(f"{source.path}: a Kaldi data folder needs {' and '.join(NEEDED)}; {name} is missing")
    # Without `segments`, its rows would be whole recordings.
    names = [*NEEDED, *(name for name in OPTIONAL if is_optional_file(source.path / name))]
    return [source.path / name for name in names]


def read_kaldi(source: Source) -> Reading:
    """One row per line of `text`."""
    reject_settings(source, "columns")
    kaldi_files(source)
    notes: defaultdict[str, list[str]] = defaultdict(list)
    tables = {name: _table(source.path, name, notes[name]) for name in ("wav.scp", *OPTIONAL)}
    entries: list[Entry] = []
    seen: set[str] = set()
    for line, text in text_lines(source.path / "text", notes["text"], LINES):
        if text is None:
            entries.append(Entry(line, NOT_TEXT, f"text:{line}"))
        elif text.strip():
            key, *words = text.split(maxsplit=1)
            seen.add(key)
            entries.append(_entry(line, key, "".join(words), tables))
    entries += _without_text(tables, seen)
    paths = [value for _, value in tables["wav.scp"].lines.values() if not value.endswith("|")]
    folder = audio_root(source.path, paths)
    encodings = notes_of_files(notes)
    return Reading("kaldi", folder, entries, Columns(), source.channel, table=False, notes=encodings)


def _table(folder: Path, name: str, notes: list[str]) -> _Table:
    table = _Table(name)
    path = folder / name
    for number, text in text_lines(path, notes, LINES) if path.is_file() else ():
        if text is None:
            notes.append(f"line {number} is not UTF-8, or has null bytes, and was left out; save the file as UTF-8")
        elif text.strip():
            key, *rest = text.split(maxsplit=1)
            value = rest[0].strip() if rest else ""
            if table.lines.setdefault(key, (number, value))[1] != value:
                table.others.setdefault(key, number)
    return table


def _entry(line: int, key: str, words: str, tables: dict[str, _Table]) -> Entry:
    places: dict[str, str] = {}
    row: dict[str, Any] = {"id": key, "text": words}
    try:
        row["speaker_id"] = tables["utt2spk"].value(key)
        if tables["segments"].lines:
            row |= _segment(key, tables["segments"], tables["wav.scp"])
            recording = (tables["segments"].value(key) or "").split()[0]
            places = dict.fromkeys(("offset", "duration", "channel"), tables["segments"].place(key))
        else:
            lengths = next((t for t in (tables["utt2dur"], tables["reco2dur"]) if t.value(key)), None)
            row |= {"audio": _file(key, tables["wav.scp"]), "duration": lengths.value(key) if lengths else None}
            recording = key
            places = {"duration": lengths.place(key)} if lengths else {}
    except _Unusable as why:
        return Entry(line, str(why), why.place, key)
    places["audio"] = tables["wav.scp"].place(recording)
    return Entry(line, row, f"text:{line}", places=places)


def _segment(key: str, segments: _Table, recordings: _Table) -> dict[str, Any]:
    """`utterance recording start end [channel]`, times in seconds."""
    if key not in segments.lines:
        raise _Unusable(f"no audio: segments has no entry for {key}", segments.name)
    place = segments.place(key)
    try:
        recording, *numbers = (segments.value(key) or "").split()
        start, end = plain_number(numbers[0]), plain_number(numbers[1])
        if math.isnan(start) or math.isnan(end):
            raise ValueError(numbers)
        channel = [int(number) for number in numbers[2:]]
    except (ValueError, IndexError):
        raise _Unusable("no audio: expected `utterance recording start end`, times in seconds", place) from None
    segment: dict[str, Any] = {"audio": _file(recording, recordings), "offset": start}
    if end != TO_THE_END:
        segment["duration"] = round(end - start, 9)
    if channel:
        segment["channel"] = channel[0]
    return segment


def _file(recording: str, recordings: _Table) -> str:
    if recording not in recordings.lines:
        raise _Unusable(f"no audio: wav.scp has no entry for {recording}", recordings.name)
    value = recordings.value(recording) or ""
    place = recordings.place(recording)
    if not value:
        raise _Unusable(f"no audio: wav.scp names no file for {recording}", place)
    if value.endswith("|") or value.startswith("|") or value == "-":
        raise _Unusable(
            f"no audio: a command, which is never run ({value:.40}); write its output to a file and name the file",
            place,
        )
    if ARCHIVE.fullmatch(value):
        raise _Unusable(
            f"no audio: a position in an archive ({value:.40}); copy it to a file (wav-copy) and name the file", place
        )
    return value


def _without_text(tables: dict[str, _Table], seen: set[str]) -> list[Entry]:
    """Utterances that have audio but no line in `text`."""
    listed = tables["segments"] if tables["segments"].lines else tables["wav.scp"]
    return [
        Entry(line, "no text: no line in `text`", f"{listed.name}:{line}", key)
        for key, (line, _) in listed.lines.items()
        if key not in seen
    ]


def _is_kaldi_folder(folder: Path) -> bool:
    return (folder / "wav.scp").is_file()


def _is_kaldi_file(sample: FileSample) -> bool:
    """Always False: raises UserError for a file of a Kaldi data folder, whose folder has to be named instead."""
    if sample.path.name in {"wav.scp", "segments", "utt2spk"}:
        raise UserError(f"{sample.path}: a file of a Kaldi data folder; name the folder {sample.path.parent}")
    return False


KALDI = ManifestFormat(
    name="kaldi",
    description="Kaldi data folder: `wav.scp` and `text`, optionally `segments`, `utt2spk`, `utt2dur`, `reco2dur`.",
    read=read_kaldi,
    matches_file=_is_kaldi_file,
    matches_folder=_is_kaldi_folder,
    layout=" and ".join(NEEDED),
    folder_only=True,
    row_files=kaldi_files,
)
