"""What a manifest contains: its usable rows, its rejected lines, and how it was read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from lora.records.base import ManyRecord, Record, many_record
from lora.records.markup import MarkupCount

# How the reason of a row begins that is rejected because it has neither a duration nor a file to read one from.
NO_DURATION = "no audio: the manifest has no duration"


@many_record
class Utterance(ManyRecord):
    """One usable row of a manifest."""

    id: Annotated[str, Field(description="Id of the row, unique within the manifest.")]
    text: Annotated[str, Field(description="Reference transcript as written, with white space normalised.")]
    duration: Annotated[float, Field(description="Duration in seconds, by the manifest or else by the audio header.")]
    audio: Annotated[
        str | None,
        Field(
            description="Path of the audio file: absolute if it was given so, else relative to the folder of the file "
            "that contains the row; null for inline audio."
        ),
    ] = None
    offset: Annotated[float | None, Field(description="Start of the utterance in the file in seconds; null is 0.")] = (
        None
    )
    channel: Annotated[int | None, Field(description="Channel to use, from 0; null mixes all channels to mono.")] = None
    speaker_id: Annotated[str | None, Field(description="Speaker; null if not known.")] = None
    samples: Annotated[list[float] | None, Field(description="Inline audio samples (-1 to 1); null for a file.")] = None
    sampling_rate: Annotated[int | None, Field(description="Sampling rate of `samples` in Hz.")] = None
    word_times: Annotated[
        tuple[float, float | None] | None,
        Field(
            description="From when to when (s) words of a ctm belong to a row of an stm, as for sclite; null as the "
            "end is that of the recording. Null for other rows."
        ),
    ] = None
    line: Annotated[int | None, Field(description="Line of the original manifest, from 1; null where it has none.")] = (
        None
    )


class RejectedRow(Record):
    """A line of a manifest that cannot be used."""

    line: int = Field(description="Line of the manifest, from 1.")
    id: str | None = Field(default=None, description="Id of the row, where the line has one.")
    reason: str = Field(description="Why the line cannot be used; starts with the kind of fault.")


class OddCharacter(Record):
    """An invisible character, or a letter of another script than the word around it, in the texts of a manifest."""

    code_point: str = Field(description="Code point, e.g. `U+200B`.")
    name: str = Field(description="Name in Unicode, e.g. `ZERO WIDTH SPACE`.")
    kind: Literal["invisible", "look_alike"] = Field(
        description="`invisible`, or `look_alike` for a letter that looks like one of the script around it."
    )
    rows: int = Field(description="Rows whose text contains it.")
    lines: list[int] = Field(description="Lines of the first of these rows.")


class OverlappingPiece(Record):
    """A row that is more than half inside an earlier row's piece of the same recording."""

    line: int | None = Field(description="Line of the row.")
    id: str = Field(description="Id of the row.")
    other_line: int | None = Field(description="Line of the earlier row.")
    other_id: str = Field(description="Id of the earlier row.")
    shared_seconds: float = Field(description="Seconds that both pieces contain.")


class ManifestFacts(Record):
    """How a manifest was read, and its size."""

    format: str = Field(description="Format that the manifest was read as, e.g. `jsonl` or `kaldi`.")
    split: str | None = Field(description="Split that was read (`split` of the configuration); null without one.")
    columns: dict[str, str] = Field(description="Column of the manifest that each field was read from.")
    notes: list[str] = Field(
        default=[],
        description="What a person should know about how the manifest was read, as sentences: a guessed encoding, the "
        "only split, a moved audio folder, an unusual separator, times in other units.",
    )
    rows: int = Field(description="Usable rows.")
    rejected: int = Field(description="Lines that cannot be used.")
    hours: float = Field(description="Duration of the usable rows in hours.")
    speakers: int | None = Field(description="Known speakers of the usable rows; null where no row names one.")
    odd_characters: list[OddCharacter] = Field(
        default=[], description="Invisible and look-alike characters in the texts, the most frequent first."
    )
    odd_rows: int = Field(default=0, description="Usable rows whose text contains such a character.")
    shared_recordings: int = Field(default=0, description="Usable rows whose recording other rows use too.")
    overlapping: list[OverlappingPiece] = Field(
        default=[],
        description="Rows whose piece of a recording overlaps that of an earlier row (the same or an unknown speaker, "
        "same channel) by more than half of the shorter one, without being equal.",
    )
    markup: list[MarkupCount] = Field(default=[], description="Markup in the transcripts of the usable rows, by kind.")
