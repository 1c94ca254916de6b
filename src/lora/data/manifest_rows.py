"""The rows of a manifest one after the other: each is an utterance, or the reason why it cannot be used.

Where the manifest gives a duration, the audio file only has to exist and not be empty; otherwise its header is read.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from lora.data.audio.headers import read_headers
from lora.data.audio.limits import seconds_problem
from lora.data.column_names import Columns
from lora.data.formats.interface import LOCAL_URL, URL, Entry, Reading, found_path
from lora.data.formats.registry import BROKEN
from lora.data.row_fields import RowError, row_fields
from lora.records.manifests import Utterance
from lora.terminal import visible

AT_ONCE = 8_000  # rows in memory; where all of them lack a duration, their headers are read in parallel
# How the reason of a row whose audio file cannot be reached begins; its path follows.
MISSING_FILE = "missing file: "
FORBIDDEN_FILE = "unreadable audio: no permission to read "
READABLE_BY_ALL = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH
FILES = 4_096  # whose state is remembered: rows are often pieces of one recording, and network file systems are slow


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be used; `id` is None where it could not be read."""

    line: int
    id: str | None
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", visible(self.reason))  # it quotes the row


class _Draft(NamedTuple):
    """A row before its duration is known."""

    entry: Entry
    fields: dict[str, Any]


def usable_rows(reading: Reading, *, silence: bool) -> Iterator[Utterance | Rejected]:
    """Every row of a manifest, in its order.

    Args:
        reading: the manifest.
        silence: whether an explicitly empty text is a row of silence, and not a missing one.
    """
    first_line: dict[str, int] = {}
    drafts = _drafts(reading, silence)
    while block := deque(islice(drafts, AT_ONCE)):
        for draft in _with_durations(block, reading.folder):
            if isinstance(draft, Rejected):
                yield draft
                continue
            entry, fields = draft
            identity = fields["id"]
            if identity in first_line:
                reason = f"duplicate id, first used in line {first_line[identity]}"
                yield _rejected(entry, identity, reason, "id")
            else:
                first_line[identity] = entry.line
                yield Utterance(**fields)


def _drafts(reading: Reading, silence: bool) -> Iterator[_Draft | Rejected]:
    folder = str(reading.folder)
    state = lru_cache(FILES)(_state)
    for entry in reading.entries:
        if isinstance(entry.row, str):
            yield _rejected(entry, entry.id, entry.row)
            continue
        try:
            fields = row_fields(entry.row, entry.line, reading.columns, silence=silence)
            if reading.channel is not None:
                fields["channel"] = reading.channel
            _require_file(fields, folder, state)
        except RowError as error:
            yield _rejected(entry, _written_id(entry.row, reading.columns), str(error), error.field)
        except BROKEN as error:  # whatever is wrong with a row costs this row only
            yield _rejected(entry, None, f"cannot be read: {' '.join(str(error).split())[:300]}")
        else:
            yield _Draft(entry, fields)


def _rejected(entry: Entry, identity: str | None, reason: str, field: str | None = None) -> Rejected:
    """Where a manifest consists of several files, the reason ends with the file and line of the field at fault."""
    place = entry.place_of(field)
    return Rejected(entry.line, identity, reason if place is None else f"{reason} ({place})")


def _state(path: str) -> os.stat_result | PermissionError | None:
    """The state of a file, or an error where this user may not read it, or None where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 (a Path takes twice as long)
    except PermissionError as error:
        return error
    except (OSError, ValueError):
        return None
    readable = found.st_mode & READABLE_BY_ALL == READABLE_BY_ALL or os.access(path, os.R_OK)
    return found if readable else PermissionError()


def _require_file(
    fields: dict[str, Any], folder: str, state: Callable[[str], os.stat_result | PermissionError | None]
) -> None:
    if "audio" not in fields:
        return
    found = state(os.path.join(folder, fields["audio"]))  # noqa: PTH118 (a Path takes twice as long)
    if found is None:
        fields["audio"] = found_path(folder, fields["audio"])
        found = state(os.path.join(folder, fields["audio"]))  # noqa: PTH118
    if found is None and URL.match(fields["audio"]) and not LOCAL_URL.match(fields["audio"]):
        why = f"a URL, which is never opened ({fields['audio']:.200}); download it and name the file"
        raise RowError(f"no audio: {why}", "audio")
    if found is None:
        raise RowError(f"{MISSING_FILE}{fields['audio']}", "audio")
    if isinstance(found, PermissionError):
        raise RowError(f"{FORBIDDEN_FILE}{fields['audio']}", "audio")
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


def _with_durations(block: deque[_Draft | Rejected], folder: Path) -> Iterator[_Draft | Rejected]:
    """Take the rows out of a block, with durations from headers where the manifest has none."""
    missing = [draft for draft in block if isinstance(draft, _Draft) and draft.fields["duration"] is None]
    lengths = iter(read_headers([str(folder / draft.fields["audio"]) for draft in missing]))
    while block:
        draft = block.popleft()
        if isinstance(draft, Rejected):
            yield draft
            continue
        entry, fields = draft
        if fields["duration"] is None:
            length = next(lengths)
            if isinstance(length, str):
                yield _rejected(entry, fields["id"], length, "audio")
                continue
            fields["duration"] = length - (fields["offset"] or 0.0)
        if fields["duration"] <= 0:
            at_fault, why = ("offset", ": no audio after the offset") if fields["offset"] else ("audio", "")
            yield _rejected(entry, fields["id"], f"zero length{why}", at_fault)
        else:
            yield draft
