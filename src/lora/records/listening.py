"""Sound of a row for the listening page: its waveform, and the file that a browser plays."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Record


class Sound(Record):
    """Sound of one row."""

    id: str = Field(description="Id of the row.")
    file: str | None = Field(
        default=None,
        description="WAV file in this folder with the row's samples; null where a browser plays the row's own file.",
    )
    waveform: str | None = Field(
        default=None,
        description="Lowest and highest sample of each of at most 200 parts of the row, relative to its peak: two "
        "characters of `A-Za-z0-9-_` per part, for 0 to 63.",
    )
    problem: str | None = Field(default=None, description="Why the row has no sound; null if it has.")
