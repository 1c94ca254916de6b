"""One row of a manifest as typed fields.

A row that cannot be used raises `RowError`, whose message is the reason in `<m>.rejected.tsv`.
"""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import fields
from sys import intern
from typing import Any

import numpy as np

from lora.data.audio.limits import rate_problem, seconds_problem
from lora.data.column_names import TIMES, Columns
from lora.data.python_bytes import DECODE, is_written_as_bytes
from lora.data.time_text import plain_number, seconds_in_text
from lora.records.manifests import Utterance

CANONICAL = frozenset(field.name for field in fields(Utterance))
INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Cs", "Zs", "Zl", "Zp"})  # categories of Unicode
# Fillers and joiners of other categories without a glyph of their own, and the empty Braille pattern.
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # of variants of the character before
# What spreadsheets write for a cell that they cannot calculate, as for a text that begins with `=` or `-`.
UNCALCULATED = frozenset({"#NAME?", "#REF!", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!", "#N/A"})
# What data frames write for a missing value. Other names of it are words as well, but no speakers.
NO_TEXT = UNCALCULATED | {"NaN", "<NA>"}
NO_SPEAKER = NO_TEXT | {"nan", "None", "none", "null", "NULL"}
LARGEST_SAMPLE = float(np.finfo(np.float32).max)
LINES = 2**53  # which every reader of JSON represents exactly
WHOLE = re.compile(r"(?<=\d)\.0+$")
ROUNDED = 0.1  # seconds by which times may differ, because they are rounded
LEAST_DURATION = 1e-6  # seconds; no sample is shorter
CHANNELS, DIGITS = 65_536, 5  # of a WAV file, whose header has 16 bits for them


class RowError(Exception):
    """Why a row cannot be used, and the field at fault where there is one."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


DEFAULT_COLUMNS = Columns()


def row_fields(
    record: Mapping[str, Any],
    line: int,
    columns: Columns = DEFAULT_COLUMNS,
    *,
    silence: bool = False,
    needs_audio: bool = True,
) -> dict[str, Any]:
    """Fields of an `Utterance` from one row of any format.

    Args:
        record: the row by column name.
        line: line number of the row. Rows written by this software keep their own, which is that of the user's file.
        columns: which column contains which field.
        silence: whether an empty string as text is the transcript of silence; a missing text or null never is.
        needs_audio: whether a row without audio cannot be used, also where it has an id.

    Returns:
        The fields, with white space in the text collapsed to single spaces; `duration` is None where it has to be read
        from the audio header.

    Raises:
        RowError: where the row cannot be used.
    """
    if not columns.has(record, "text"):
        raise RowError(f"no text: expected one of {', '.join(columns.names['text'])}")
    text = columns.value(record, "text")
    if text is not None and not isinstance(text, str):
        raise RowError(f"text is not a string: {text!r:.60}", "text")
    if text is None and silence and _is_silence(columns, record):
        text = ""
    elif text is None or not is_visible(text) or (columns.placeholders and text.strip() in columns.placeholders):
        raise RowError("empty text", "text")
    if text in NO_TEXT:
        raise RowError(f"no text: spreadsheets and data frames write {text!r} for a value that is missing", "text")
    if is_written_as_bytes(text):
        raise RowError(f"text is {DECODE}: {text:.60}", "text")
    # A line break or double space would become a token of its own, and the model would be trained to write it.
    speaker = _name(columns, record, "speaker_id")
    fields: dict[str, Any] = {"text": " ".join(text.split())}
    # One object for all rows of a speaker.
    fields["speaker_id"] = None if speaker is None or speaker in NO_SPEAKER else intern(speaker)
    fields["offset"] = row_number(columns, record, "offset")
    fields["duration"] = row_number(columns, record, "duration")
    if fields["duration"] is None and (end := row_number(columns, record, "end")) is not None:
        if fields["offset"] is None:
            raise RowError(f"no start: the row ends at {end:g} s of its recording and has no start", "end")
        fields["duration"] = _until(end, fields["offset"])
    elif columns.ends_agree and fields["duration"] is not None and fields["offset"] is not None:
        _require_agreement(columns, record, fields["offset"], fields["duration"])
    fields["channel"] = row_channel(columns, record)
    fields |= _audio(columns, record, needs_audio)
    if fields["offset"] is not None and fields["offset"] < 0:
        raise RowError(f"offset {fields['offset']:g} s is negative", "offset")
    for name in ("offset", "duration"):
        if fields[name] is not None and (problem := seconds_problem(name, fields[name])) is not None:
            raise RowError(problem, name)
    if "samples" in fields and fields["duration"] is None:
        fields["duration"] = len(fields["samples"]) / fields["sampling_rate"] - (fields["offset"] or 0.0)
    if fields["duration"] is not None and fields["duration"] < LEAST_DURATION:
        raise RowError(f"zero length: duration is {fields['duration']:g} s", "duration")
    fields["id"] = _name(columns, record, "id") or _derived_id(fields, columns)
    written_by_us = _is_line(record.get("line")) and set(record) <= CANONICAL
    fields["line"] = record["line"] if written_by_us else line
    return fields


def is_visible(text: str) -> bool:
    """Whether a text has a character that is not white space, control, format, filler or unassigned."""
    return (text[:1].isascii() and text[:1].isalnum()) or any(map(_has_glyph, text))


def _has_glyph(character: str) -> bool:
    if unicodedata.category(character) in INVISIBLE or character in FILLERS:
        return False
    return not any(ord(character) in selectors for selectors in SELECTORS)


def _is_line(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LINES


def _is_silence(columns: Columns, record: Mapping[str, Any]) -> bool:
    return all(record[name] == "" for name in columns.names["text"] if name in record)


def _name(columns: Columns, record: Mapping[str, Any], field: str) -> str | None:
    value = columns.value(record, field)
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # data frames turn whole numbers into floats where one is missing
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowError(f"{field} is neither a string nor a whole number: {value!r:.60}")


def row_channel(columns: Columns, record: Mapping[str, Any]) -> int | None:
    """The channel, from 0; None for other text in a column that was not mapped, such as a broadcaster's name.

    Raises RowError where it is no channel.
    """
    value = columns.value(record, "channel")
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    # A table in which one channel is missing has `1.0` for the others.
    written = WHOLE.sub("", str(value).strip())
    if not isinstance(value, bool) and written.isdecimal():
        digits = written.lstrip("0") or "0"
        if len(digits) > DIGITS or int(digits) >= CHANNELS:
            raise RowError(f"channel is {written:.40}; expected less than {CHANNELS}", "channel")
        if int(digits) < columns.first_channel:
            raise RowError(f"channel is {digits}, and the other rows count from {columns.first_channel}", "channel")
        return int(digits) - columns.first_channel
    if "channel" in columns.mapped or not isinstance(value, str):
        raise RowError(f"channel is not a whole number from 0: {value!r:.60}", "channel")
    return None


def row_number(columns: Columns, record: Mapping[str, Any], field: str) -> float | None:
    """The number in a field of a row; times in seconds, whatever the unit of their column.

    Raises RowError where it is no number.
    """
    found = columns.found(record, field)
    if found is None:
        return None
    name, value = found
    if field not in TIMES:
        return _finite(value, field)
    if isinstance(value, str):
        return _finite(seconds_in_text(value, columns.unit(name)), field)
    seconds, unit = _finite(value, field), columns.unit(name)
    return seconds if seconds is None or unit == 1.0 else round(seconds * unit, 9)


def _until(end: float, start: float) -> float:
    """The duration of a piece from `start` to `end` seconds."""
    if end <= start:
        raise RowError(f"zero length: it ends at {end:g} s and starts at {start:g} s", "end")
    return round(end - start, 9)


def _require_agreement(columns: Columns, record: Mapping[str, Any], start: float, duration: float) -> None:
    """Raise RowError where the end of a row is not that of its start and duration; what is no time is no end."""
    try:
        end = row_number(columns, record, "end")
    except RowError:
        return
    if end is not None and abs(start + duration - end) > ROUNDED:
        raise RowError(f"duration is {duration:g} s, but it starts at {start:g} s and ends at {end:g} s", "duration")


def _finite(value: Any, field: str) -> float | None:
    if value is None:
        return None
    try:
        written = plain_number(value) if isinstance(value, str) else value
        number = float(written) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        expected = "; expected seconds such as 3.2, '3.2 s' or '0:03.2'" if field in TIMES else ""
        raise RowError(f"{field} is not a number: {value!r:.60}{expected}", field)
    return number


def _audio(columns: Columns, record: Mapping[str, Any], needed: bool) -> dict[str, Any]:
    """`audio` as a path, or inline samples: `samples`, a list in `audio`, or a mapping with `array`."""
    samples = columns.value(record, "samples")
    rate = row_number(columns, record, "sampling_rate")
    audio = columns.value(record, "audio")
    if samples is None and isinstance(audio, str):
        return {"audio": audio}
    if isinstance(audio, Mapping):
        samples = audio.get("array")
        rate = _finite(audio.get("sampling_rate"), "sampling_rate") or rate
        audio = audio.get("path") if samples is None else None
    elif isinstance(audio, list):
        if audio and isinstance(audio[0], str):
            raise RowError(f"audio is a list of files: {audio!r:.60}; expected one file per row", "audio")
        samples = audio
        audio = None
    if samples is not None:
        return _inline(samples, rate)
    if audio is None and not needed:
        return {"audio": None}
    if audio is None:
        raise RowError(f"no audio: expected one of {', '.join(columns.names['audio'])}, or samples")
    if not isinstance(audio, str):
        raise RowError(f"audio is neither a path nor samples: {audio!r:.60}")
    return {"audio": audio}


def _inline(samples: Any, rate: float | None) -> dict[str, Any]:
    if rate is None or rate <= 0 or rate != int(rate):
        raise RowError("inline samples need a sampling_rate in whole Hz")
    if (problem := rate_problem(rate)) is not None:
        raise RowError(problem, "sampling_rate")
    try:
        array = np.asarray(samples, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty((0, 0))
    if array.ndim != 1 or not (np.abs(array) <= LARGEST_SAMPLE).all():  # false for NaN
        raise RowError("inline samples are not a flat list of finite numbers")
    if array.size == 0:
        raise RowError("zero length: no samples")
    return {"samples": array.tolist(), "sampling_rate": int(rate)}


def _derived_id(fields: Mapping[str, Any], columns: Columns) -> str:
    """The audio path as written, or a hash of inline samples (little-endian float32).

    A segment of a longer file adds `#offset-duration`, one of several channels `#channelN`.
    """
    if "samples" in fields:
        pcm = np.asarray(fields["samples"], dtype="<f4").tobytes()
        base = hashlib.sha256(pcm).hexdigest()[:32]
    elif fields["audio"] is None:
        raise RowError(f"no id: expected one of {', '.join(columns.names['id'])}")
    else:
        base = fields["audio"]
    if fields["channel"] is not None:
        base = f"{base}#channel{fields['channel']}"
    if fields["offset"] is None:
        return str(base)
    duration = "" if fields["duration"] is None else f"{fields['duration']:g}"
    return f"{base}#{fields['offset']:g}-{duration}"
