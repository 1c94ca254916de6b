"""What a manifest contains: its usable rows, its rejected lines, and how it was read."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Record

# How the reason of a row begins that is rejected because it has neither a duration nor a file to read one from.
NO_DURATION = "no audio: the manifest has no duration"


class Utterance(Record):
    """One usable row of a manifest."""

    id: str = Field(description="Id of the row, unique within the manifest.")
    text: str = Field(description="Reference transcript as written, with white space normalised.")
    duration: float = Field(description="Duration in seconds, by the manifest or else by the audio header.")
    audio: str | None = Field(
        default=None,
        description="Path of the audio file: absolute if it was given so, else relative to the folder of the file that "
        "contains the row; null for inline audio.",
    )
    offset: float | None = Field(default=None, description="Start of the utterance in the file in seconds; null is 0.")
    channel: int | None = Field(default=None, description="Channel to use, from 0; null mixes all channels to mono.")
    speaker_id: str | None = Field(default=None, description="Speaker; null if not known.")
    samples: list[float] | None = Field(default=None, description="Inline audio samples (-1 to 1); null for a file.")
    sampling_rate: int | None = Field(default=None, description="Sampling rate of `samples` in Hz.")
    line: int | None = Field(default=None, description="Line of the original manifest, from 1; null where it has none.")


class RejectedRow(Record):
    """A line of a manifest that cannot be used."""

    line: int = Field(description="Line of the manifest, from 1.")
    id: str | None = Field(default=None, description="Id of the row, where the line has one.")
    reason: str = Field(description="Why the line cannot be used; starts with the kind of fault.")


class ManifestFacts(Record):
    """How a manifest was read, and its size."""

    format: str = Field(description="Format that the manifest was read as, e.g. `jsonl` or `kaldi`.")
    split: str | None = Field(description="Split that was read (`split` of the configuration); null without one.")
    columns: dict[str, str] = Field(description="Column of the manifest that each field was read from.")
    rows: int = Field(description="Usable rows.")
    rejected: int = Field(description="Lines that cannot be used.")
    hours: float = Field(description="Duration of the usable rows in hours.")
    speakers: int | None = Field(description="Known speakers of the usable rows; null where no row names one.")
