"""How a table numbers the channels of its recordings: from 0, as rows do, from 1, or by names.

Numbers from 1 are recognised by the files: the channel of a row counts as many channels as its file has, and no row has
channel 0, except for a few damaged ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lora.data.formats.interface import Reading, found_path
from lora.data.row_fields import RowError, row_channel
from lora.formatting import count
from lora.records.base import UserError

EXAMINED = 50  # rows of each channel whose files are opened
CONVINCING = 0.1  # share of the examined rows that have the last channel of their file, counted from 1
FEW = 3  # rows of channel 0 that may be damaged ones
# Names of channels, unlike those of broadcasters that such a column may have.
NAMED = re.compile(r"[A-D]|L|R|left|right|(ch|channel)[ _-]?\d+", re.IGNORECASE)


class _Examined(NamedTuple):
    line: int
    channel: int  # as written
    channels: int  # of its file


def with_channels_from_0(reading: Reading, path: Path) -> Reading:
    """The reading whose rows have channels from 0, with a note where the table numbers or names them otherwise.

    Args:
        reading: the rows, with the columns that its table has.
        path: the manifest, for the error.

    Raises:
        UserError: channels may be counted from 0 or from 1.
    """
    columns = reading.columns
    name = next(iter(columns.present["channel"]), None)
    if reading.channel is not None or name is None:
        return reading
    notes = [*reading.notes, *([] if "channel" in columns.mapped else _note_on_names(reading, name))]
    zeros, examined = _examined(reading)
    last = [row for row in examined if row.channel == row.channels]
    if not last or zeros >= CONVINCING * len(last):
        return replace(reading, notes=notes)
    line, number, _ = last[0]
    none = f"only {count(zeros, 'row')} with channel 0" if zeros else "no row has channel 0"
    found = f"{none}, and line {line} has channel {number} of a file with {count(number, 'channel')}"
    if len(last) < CONVINCING * len(examined):
        raise UserError(
            f"{path}: '{name}' may count channels from 0 or from 1: {found}; expected numbers from 0. "
            f"Where they count from 1, subtract 1 in every row; else correct line {line}"
        )
    return replace(
        reading,
        columns=replace(columns, first_channel=1),
        notes=(*notes, f"'{name}' is read as counted from 1: {found}"),
    )


def _examined(reading: Reading) -> tuple[int, list[_Examined]]:
    """The number of rows of channel 0, and some of each other channel with the number of channels of their file.

    None are examined where more than a few rows have channel 0.
    """
    zeros = 0
    lines: dict[int, list[tuple[int, str]]] = {}
    for entry, row in reading.rows():
        try:
            channel = row_channel(reading.columns, row)
        except RowError:
            continue
        if channel == 0:
            zeros += 1
            if zeros > FEW:
                return zeros, []
            continue
        audio = reading.columns.value(row, "audio")
        if channel is not None and isinstance(audio, str):
            rows = lines.setdefault(channel, [])
            if len(rows) < EXAMINED:
                rows.append((entry.line, audio))
    channels = lru_cache(_channels)
    return zeros, [
        _Examined(line, channel, found)
        for channel, rows in lines.items()
        for line, audio in rows
        if (found := channels(str(reading.folder / found_path(reading.folder, audio)))) is not None
    ]


def _channels(path: str) -> int | None:
    """Channels of an audio file; None where it cannot be read, which rejects its rows later."""
    import soundfile

    try:
        return int(soundfile.info(path).channels)
    except (OSError, RuntimeError, TypeError, ValueError):
        return None


def _note_on_names(reading: Reading, name: str) -> Iterator[str]:
    """A note on a column that names channels (`A`, `left`), which numbers would choose."""
    for entry, row in reading.rows():
        value = row.get(name)
        if isinstance(value, str) and NAMED.fullmatch(value.strip()):
            found = f"line {entry.line} has '{value}'; expected numbers from 0"
            yield f"'{name}' was not read, all channels are mixed: {found}"
            return
