"""The column names that are recognised without configuration, which of them a table has, and the units of times."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice
from typing import Any

UNITS = {
    "": 1.0,
    "_s": 1.0,
    "_sec": 1.0,
    "_secs": 1.0,
    "_seconds": 1.0,
    "_in_seconds": 1.0,
    "_ms": 0.001,
    "_msec": 0.001,
    "_millis": 0.001,
    "_milliseconds": 0.001,
}
MILLISECONDS = 0.001


def _with_units(*names: str) -> tuple[str, ...]:
    """Each name alone and with the unit of its times."""
    return tuple(f"{name}{unit}" for name in names for unit in UNITS)


OFFSETS = _with_units("offset")
ONSETS = _with_units("onset")
STARTS = (*_with_units("start", "start_time", "begin", "begin_time"), *ONSETS)
SYNONYMS: dict[str, tuple[str, ...]] = {
    "audio": (
        "audio",
        "audio_filepath",
        "audio_path",
        "path",
        "wav",
        "file",
        "audio_filename",
        "wav_filename",
        "audio_file",
        "wav_path",
        "file_path",
        "filepath",
        "filename",
    ),
    "text": (
        *("text", "transcript", "transcription", "sentence", "txt", "wrd", "words"),
        *("reference", "ref", "reference_text", "ground_truth"),
    ),
    "speaker_id": ("speaker_id", "speaker", "client_id", "spk", "spk_id"),
    "id": ("id", "utt_id", "utterance_id", "key", "utt"),
    "duration": _with_units("duration"),
    "offset": (*OFFSETS, *STARTS),
    "end": _with_units("end", "end_time"),
    "channel": ("channel",),
    "samples": ("samples",),
    "sampling_rate": ("sampling_rate",),
}
TIMES = ("duration", "offset", "end")
NAMED, LONGEST_LIST = 12, 300  # columns in a message, and its characters


@dataclass(frozen=True)
class Columns:
    """Which columns of a row contain which field.

    Attributes:
        mapped: our field names to the configured column names; other fields are looked up under all their synonyms.
        placeholders: texts that mean "no text".
        names: the column names of every field, the first that has a value counts.
        units: seconds per unit of a column of times, where its name does not say it.
        first_channel: the number of the first channel.
        ends_agree: whether nearly all rows with a start, a duration and an end agree in them; then all have to.
        present: of `names` those that a table has, where that is known; no other is looked up in its rows.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)
    placeholders: frozenset[str] = frozenset()
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    units: Mapping[str, float] = field(default_factory=dict)
    first_channel: int = 0
    ends_agree: bool = False
    present: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    _looked_up: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.names:
            names = {one: (self.mapped[one],) if one in self.mapped else SYNONYMS[one] for one in SYNONYMS}
            object.__setattr__(self, "names", names)
        object.__setattr__(self, "_looked_up", self.present or self.names)

    def among(self, present: Collection[str]) -> Columns:
        """The same columns for the rows of a table that has only these names."""
        found = {one: tuple(name for name in names if name in present) for one, names in self.names.items()}
        return replace(self, present=found)

    def has(self, record: Mapping[str, Any], field: str) -> bool:
        return any(name in record for name in self._looked_up[field])

    def found(self, record: Mapping[str, Any], field: str) -> tuple[str, Any] | None:
        """Name and value of the first column of the field that is not empty, else None.

        NaN counts as empty: data frames write it for a missing value.
        """
        for name in self._looked_up[field]:
            value = record.get(name)
            if value not in (None, "") and not (isinstance(value, float) and math.isnan(value)):
                return name, value
        return None

    def value(self, record: Mapping[str, Any], field: str) -> Any:
        """The value of the first column of the field that is not empty, else None."""
        if not self._looked_up[field]:  # as most fields of most tables
            return None
        found = self.found(record, field)
        return None if found is None else found[1]

    def unit(self, name: str) -> float:
        """Seconds per unit of a column of times."""
        return self.units.get(name) or unit_of(name)


@lru_cache(maxsize=1024)
def unit_of(name: str) -> float:
    """Seconds per unit of the times in a column of this name; 1 where the name has no unit."""
    folded = folded_name(name)
    return next((seconds for unit, seconds in UNITS.items() if unit and folded.endswith(unit)), 1.0)


def spellings(synonyms: Iterable[str], folded_names: Mapping[str, str]) -> tuple[str, ...]:
    """The names that a table writes for some synonyms in capitals, with spaces, hyphens or brackets.

    `folded_names` are the names of the table, each with its `folded_name`.
    """
    wanted = {synonym: place for place, synonym in enumerate(synonyms)}
    found = [(wanted[folded], name) for name, folded in folded_names.items() if folded in wanted and folded != name]
    return tuple(name for _, name in sorted(found))


def shown_columns(columns: Iterable[object]) -> str:
    """The first columns of a table, for a message; an object of texts by id (`{"u1": "so it is"}`) has one for each."""
    return f"{', '.join(islice(map(str, columns), NAMED)):.{LONGEST_LIST}}" or "none"


@lru_cache(maxsize=1024)
def folded_name(name: str) -> str:
    """`Duration (ms)` and `durationMs` as `duration_ms`."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[ \-]+", "_", re.sub(r"[()\[\]]", "", words)).lower()
