"""What manifests call their columns: the synonyms read without configuration, and one row as typed fields.

A row that cannot be used raises `RowError` with the reason a person reads in `<m>.rejected.tsv`.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from lora.records.manifests import Utterance

SYNONYMS: dict[str, tuple[str, ...]] = {
    "audio": ("audio", "audio_filepath", "audio_path", "path", "wav", "file"),
    "text": ("text", "transcript", "transcription", "sentence"),
    "speaker_id": ("speaker_id", "speaker", "client_id", "spk"),
    "id": ("id",),
    "duration": ("duration",),
    "offset": ("offset",),
    "channel": ("channel",),
    "samples": ("samples",),
    "sampling_rate": ("sampling_rate",),
}
CANONICAL = frozenset(Utterance.model_fields)


class RowError(Exception):
    """Why one row cannot be used, and which field is at fault, where it is one."""

    def __init__(self, reason: str, field: str | None = None) -> None:
        super().__init__(reason)
        self.field = field


class Columns:
    """Which columns of a row hold which field: those that a person mapped, else every synonym.

    `mapped` goes from our names to theirs; `placeholders` are texts that stand for none.
    """

    def __init__(self, mapped: Mapping[str, str] | None = None, placeholders: frozenset[str] = frozenset()) -> None:
        self.mapped = dict(mapped or {})
        self.placeholders = placeholders
        self.names = {field: (self.mapped[field],) if field in self.mapped else SYNONYMS[field] for field in SYNONYMS}

    def has(self, record: Mapping[str, Any], field: str) -> bool:
        return any(name in record for name in self.names[field])

    def value(self, record: Mapping[str, Any], field: str) -> Any:
        """The first name that holds something; an empty column beside a filled synonym does not hide it.

        NaN holds nothing: data frames write it for a missing value.
        """
        for name in self.names[field]:
            value = record.get(name)
            if value not in (None, "") and not (isinstance(value, float) and math.isnan(value)):
                return value
        return None


SYNONYMOUS = Columns()


def row_fields(record: Mapping[str, Any], line: int, columns: Columns = SYNONYMOUS) -> dict[str, Any]:
    """Fields of an `Utterance`, from one row of any dialect; `duration` is None where only the header can tell.

    White space in the text becomes single blanks. `line` is the row's own where the file is one that this software
    wrote, so that it stays the line of the person's manifest.
    """
    if not columns.has(record, "text"):
        raise RowError(f"no text: expected one of {', '.join(columns.names['text'])}")
    text = columns.value(record, "text")
    if text is not None and not isinstance(text, str):
        raise RowError(f"text is not a string: {text!r:.60}")
    if text is None or not text.strip() or text.strip() in columns.placeholders:
        raise RowError("empty text")
    # Blanks are no words: a line break or a double blank would be a token of its own, and be taught.
    fields: dict[str, Any] = {"text": " ".join(text.split()), "speaker_id": _name(columns, record, "speaker_id")}
    fields |= {"offset": _number(columns, record, "offset"), "duration": _number(columns, record, "duration")}
    fields["channel"] = _channel(columns, record)
    fields |= _audio(columns, record)
    if fields["offset"] is not None and fields["offset"] < 0:
        raise RowError(f"offset {fields['offset']:g} s is negative", "offset")
    if "samples" in fields and fields["duration"] is None:
        fields["duration"] = len(fields["samples"]) / fields["sampling_rate"] - (fields["offset"] or 0.0)
    if fields["duration"] is not None and fields["duration"] <= 0:
        raise RowError(f"zero length: duration is {fields['duration']:g} s", "duration")
    fields["id"] = _name(columns, record, "id") or _derived_id(fields)
    written_by_us = set(record) <= CANONICAL and isinstance(record.get("line"), int)
    fields["line"] = record["line"] if written_by_us else line
    return fields


def _name(columns: Columns, record: Mapping[str, Any], field: str) -> str | None:
    value = columns.value(record, field)
    if value is None or isinstance(value, str):
        return value.strip() or None if value else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # data frames turn whole numbers into 12.0 where one of them is missing
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise RowError(f"{field} is neither a string nor a whole number: {value!r:.60}")


def _channel(columns: Columns, record: Mapping[str, Any]) -> int | None:
    """A whole number from 0; other words in a column that nobody mapped are about something else."""
    value = columns.value(record, "channel")
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, bool) and str(value).strip().isdecimal():
        return int(value)
    if "channel" in columns.mapped or not isinstance(value, str):
        raise RowError(f"channel is no whole number from 0: {value!r:.60}", "channel")
    return None


def _number(columns: Columns, record: Mapping[str, Any], field: str) -> float | None:
    return _finite(columns.value(record, field), field)


def _finite(value: Any, field: str) -> float | None:
    if value is None:
        return None
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise RowError(f"{field} is not a number: {value!r:.60}", field)
    return number


def _audio(columns: Columns, record: Mapping[str, Any]) -> dict[str, Any]:
    """`audio` as a path, or inline: `samples`, a list in `audio`, or a mapping with `array` as data sets
    write it.
    """
    samples, rate = columns.value(record, "samples"), _number(columns, record, "sampling_rate")
    audio = columns.value(record, "audio")
    if isinstance(audio, Mapping):
        samples, rate = audio.get("array"), _finite(audio.get("sampling_rate"), "sampling_rate") or rate
        audio = audio.get("path") if samples is None else None
    elif isinstance(audio, list):
        samples, audio = audio, None
    if samples is not None:
        return _inline(samples, rate)
    if audio is None:
        raise RowError(f"no audio: expected one of {', '.join(columns.names['audio'])}, or samples")
    if not isinstance(audio, str):
        raise RowError(f"audio is neither a path nor samples: {audio!r:.60}")
    return {"audio": audio}


def _inline(samples: Any, rate: float | None) -> dict[str, Any]:
    if rate is None or rate <= 0 or rate != int(rate):
        raise RowError("inline samples need a sampling_rate in whole Hz")
    try:
        array = np.asarray(samples, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        array = np.empty((0, 0))
    if array.ndim != 1 or not np.isfinite(array).all():
        raise RowError("inline samples are not a flat list of finite numbers")
    if array.size == 0:
        raise RowError("zero length: no samples")
    return {"samples": array.tolist(), "sampling_rate": int(rate)}


def _derived_id(fields: Mapping[str, Any]) -> str:
    """Audio as written, with `#offset-duration` for a piece of a longer file and `#channel` for one of several; hash of
    the PCM for inline samples.
    """
    if "samples" in fields:
        pcm = np.asarray(fields["samples"], dtype="<f4").tobytes()
        base = hashlib.sha256(pcm).hexdigest()[:32]
    else:
        base = fields["audio"]
    if fields["channel"] is not None:
        base = f"{base}#channel{fields['channel']}"
    if fields["offset"] is None:
        return str(base)
    duration = "" if fields["duration"] is None else f"{fields['duration']:g}"
    return f"{base}#{fields['offset']:g}-{duration}"
