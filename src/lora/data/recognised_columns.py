"""Which columns of a manifest are read: names as its table spells them, and pieces of recordings by start and end.

Tables call the start of a piece `start` or `begin` and give its end instead of its duration. The same columns may say
where a recording that is already cut was in a longer one, which the lengths of the files show.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import NoneType
from typing import Any, NamedTuple

from lora.data.audio.headers import read_headers
from lora.data.channel_numbers import with_channels_from_0
from lora.data.column_names import MILLISECONDS, OFFSETS, ONSETS, STARTS, TIMES, folded_name, shown_columns, spellings
from lora.data.formats.interface import Reading, found_path
from lora.data.row_fields import ROUNDED, RowError, row_number
from lora.data.time_text import is_plain_number, seconds_in_text

EXAMINED = 50  # pieces whose files are opened
SAME_LENGTH = 0.05  # relative difference of a piece and a file that is cut to it
CONVINCING = 0.75  # share of the pieces that fit their files in milliseconds only, or whose ends agree
CANONICAL_TIMES = {field: (field,) for field in TIMES}


class _Piece(NamedTuple):
    line: int
    start: float
    end: float
    length: float  # of the file in seconds


def with_recognised_columns(reading: Reading, path: Path) -> Reading:
    """The reading of the manifest at `path` with the columns that its rows have, and with notes on how they are read.

    Raises:
        UserError: channels may be counted from 0 or from 1.
    """
    if not reading.table:
        return replace(reading, columns=replace(reading.columns, names={**reading.columns.names, **CANONICAL_TIMES}))
    present, rows = _types_and_rows(reading)
    folded = {name: folded_name(name) for name in map(str, present)}
    names: dict[str, tuple[str, ...]] = {}
    for field, synonyms in reading.columns.names.items():
        spelled = synonyms if field in reading.columns.mapped else (*synonyms, *spellings(synonyms, folded))
        names[field] = tuple(name for name in spelled if name in present) if field in TIMES else spelled
    ends = tuple(name for name in folded if folded[name] in OFFSETS)
    onsets = [name for name in names["offset"] if folded_name(name) in ONSETS]
    if onsets and not _are_rare(onsets, ends, rows):  # such pieces end at their offset
        starts = tuple(name for name in names["offset"] if name not in ends)
        names |= {"offset": starts, "end": (*names["end"], *ends)}
    before = len(reading.notes)
    reading = _with_pieces(replace(reading, columns=replace(reading.columns, names=names), names=present), rows)
    if len(reading.notes) == before and not reading.columns.names["offset"]:
        reading = replace(reading, notes=(*reading.notes, *_note_on_whole_recordings(reading)))
    reading = replace(reading, columns=replace(reading.columns, ends_agree=_ends_agree(reading)))
    written = {name for name, types in present.items() if str in types}
    notes = (*reading.notes, *_notes_on_times(reading, written))
    return with_channels_from_0(replace(reading, columns=reading.columns.among(present), notes=notes), path)


def _types_and_rows(reading: Reading) -> tuple[dict[str, set[type]], Counter[str]]:
    """The column names in order of appearance, each with the types of its values; in how many rows each has a value."""
    kinds_of_row = Counter((tuple(row), tuple(map(_type, row.values()))) for _, row in reading.rows())
    types: dict[str, set[type]] = {}
    rows: Counter[str] = Counter()
    for (names, values), number in kinds_of_row.items():
        for name, value in zip(names, values, strict=True):
            types.setdefault(name, set()).add(value)
            rows[name] += 0 if value is NoneType else number
    return types, rows


def _type(value: Any) -> type:
    """The type of a value; NoneType also for the empty cells of tables and the NaN of data frames."""
    kind = type(value)  # called for every value of a manifest
    is_empty = (kind is str and not value) or (kind is float and math.isnan(value))
    return NoneType if is_empty else kind


def _are_rare(names: Iterable[str], others: Iterable[str], rows: Mapping[str, int]) -> bool:
    """Whether columns are in less than half as many rows as others, as those of damaged rows are."""
    return 2 * sum(rows[name] for name in names) < sum(rows[name] for name in others)


def _with_pieces(reading: Reading, rows: Mapping[str, int]) -> Reading:
    """The reading with a start column as offset where rows are pieces of recordings, and a note that says so.

    Args:
        reading: the rows.
        rows: in how many of them each column has a value.
    """
    columns = reading.columns
    starts = [name for name in columns.names["offset"] if folded_name(name) in STARTS]
    offsets = [name for name in columns.names["offset"] if name not in starts]
    ends = columns.names["end"]
    if "offset" in columns.mapped or (offsets and not _are_rare(offsets, starts, rows)):
        return reading
    if not starts or not (ends or columns.names["duration"]):
        return _without_pieces(reading)
    named = " and ".join(f"'{name}'" for name in (starts[0], *ends[:1]))
    if (broken := _first_broken(reading)) is not None:
        return _without_pieces(reading, f"{named} were not read as times: {broken}")
    pieces = list(islice(_pieces(reading), EXAMINED))
    late = [piece for piece in pieces if piece.end > piece.length + ROUNDED]
    cut = [piece for piece in late if _is_whole_file(piece)]
    if 2 * len(cut) > len(pieces):
        first = cut[0]
        why = f"line {first.line} has {first.start:g} to {first.end:g} s, and its file is {first.length:g} s long"
        return _without_pieces(reading, f"{named} were not read: the files are cut already ({why})")
    if not pieces and not _recordings_repeat(reading):
        return _without_pieces(reading)
    note = f"rows are pieces of recordings by {named}"
    bare = [name for name in (*starts, *ends) if columns.unit(name) == 1.0]
    fitting = [piece for piece in late if _fits_in_milliseconds(piece)]
    if late and len(fitting) >= CONVINCING * len(pieces) and ends and bare:
        columns = replace(columns, units=dict.fromkeys(bare, MILLISECONDS))
        which = f"the first {len(late)}" if len(late) == len(pieces) else f"{len(late)} of the first {len(pieces)}"
        note += f", in milliseconds: in seconds, {which} would end after their files"
    elif 2 * len(late) > len(pieces):
        note += f", and {len(late)} of the first {len(pieces)} end after their files; expected seconds"
    return replace(reading, columns=columns, notes=(*reading.notes, note))


def _without_pieces(reading: Reading, note: str | None = None) -> Reading:
    """The reading with neither offsets nor ends, unless they are configured."""
    unused = {"offset", "end"} - set(reading.columns.mapped)
    names = {field: () if field in unused else found for field, found in reading.columns.names.items()}
    notes = (*reading.notes, note) if note else reading.notes
    return replace(reading, columns=replace(reading.columns, names=names), notes=notes)


def _first_broken(reading: Reading) -> str | None:
    """Line and fault of the first start or end that is no time, where most of the first rows have such a one."""
    rows = list(islice(reading.rows(), EXAMINED))
    broken: list[str] = []
    for entry, row in rows:
        try:
            row_number(reading.columns, row, "offset")
            row_number(reading.columns, row, "end")
        except RowError as error:
            broken.append(f"line {entry.line}: {error}")
    return broken[0] if 2 * len(broken) > len(rows) else None


def _pieces(reading: Reading) -> Iterator[_Piece]:
    """Rows with a start after 0 s, or an end, and a file that can be opened."""
    for entry, row in reading.rows():
        try:
            start = row_number(reading.columns, row, "offset") or 0.0
            end = row_number(reading.columns, row, "end")
            duration = row_number(reading.columns, row, "duration")
        except RowError:
            continue
        if end is None and duration is not None:
            end = start + duration
        audio = reading.columns.value(row, "audio")
        if end is None or not start < end or not isinstance(audio, str):
            continue
        (length,) = read_headers([str(reading.folder / found_path(reading.folder, audio))])
        if isinstance(length, float):
            yield _Piece(entry.line, start, end, length)


def _is_whole_file(piece: _Piece) -> bool:
    return abs(piece.end - piece.start - piece.length) <= max(ROUNDED, SAME_LENGTH * piece.length)


def _fits_in_milliseconds(piece: _Piece) -> bool:
    return piece.end * MILLISECONDS <= piece.length + ROUNDED


def _recordings_repeat(reading: Reading) -> bool:
    """Whether several rows have the same recording, as pieces of it have."""
    audio = Counter(str(reading.columns.value(row, "audio")) for _, row in reading.rows())
    return any(rows > 1 for rows in audio.values())


def _ends_agree(reading: Reading) -> bool:
    """Whether nearly all of the first rows with a start, a duration and an end agree in them."""
    if not all(reading.columns.names[field] for field in TIMES):
        return False
    agree = []
    for _, row in islice(reading.rows(), EXAMINED):
        try:
            duration, start, end = (row_number(reading.columns, row, field) for field in TIMES)
        except RowError:
            continue
        if duration is not None and start is not None and end is not None:
            agree.append(abs(start + duration - end) <= ROUNDED)
    return bool(agree) and sum(agree) >= CONVINCING * len(agree)


def _note_on_whole_recordings(reading: Reading) -> Iterator[str]:
    """A note where most rows have a recording in common with others, as pieces do whose times are not recognised."""
    columns = reading.columns
    unread = sorted(set(map(str, reading.names)).difference(*columns.names.values()))
    rows = [row for _, row in islice(reading.rows(), EXAMINED) if columns.value(row, "channel") is None]
    named = [(str(audio), str(columns.value(row, "text"))) for row in rows if (audio := columns.value(row, "audio"))]
    texts = Counter(audio for audio, _ in set(named))
    shared = [audio for audio, _ in named if texts[audio] > 1]
    if unread and 2 * len(shared) > len(rows):
        yield (
            f"{len(shared)} of the first {len(rows)} rows are whole recordings that other rows have with other texts, "
            f"such as {shared[0]:.80}; if they are pieces, name the columns of their times "
            f"(`columns: {{offset: ..., end: ...}}`); not read: {shown_columns(unread)}"
        )


def _notes_on_times(reading: Reading, written: Collection[str]) -> Iterator[str]:
    """A note on each column of times in another unit, or written in another way than as a number of seconds.

    Args:
        reading: the rows.
        written: names of the columns that contain text.
    """
    for field in TIMES:
        for name in reading.columns.names[field]:
            unit = reading.columns.unit(name)
            if unit != 1.0 and name not in reading.columns.units:
                yield f"{field} is read from '{name}' in milliseconds"
            odd = _odd_times(reading, name, unit) if name in written else iter(())
            if (first := next(odd, None)) is not None:
                line, text, seconds = first
                count = 1 + sum(1 for _ in odd)
                yield f"{count:,} values of '{name}' are written like '{text}' (line {line}: {seconds:g} s)"


def _odd_times(reading: Reading, name: str, unit: float) -> Iterator[tuple[int, str, float]]:
    """Line, text and seconds of the times of a column that are no plain numbers."""
    for entry, row in reading.rows():
        text = row.get(name)
        if isinstance(text, str) and not is_plain_number(text):
            seconds = seconds_in_text(text, unit)
            if isinstance(seconds, float):
                yield entry.line, text, seconds
