"""Integrity of the data: decoded audio, rows shared with training, and transcripts in the wrong row."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lora.records.base import ManyRecord, Record, many_record


@many_record
class AudioMeasure(ManyRecord):
    """Measurements of the decoded audio of one row; null (an empty cell) where the audio cannot be decoded."""

    line: Annotated[int | None, Field(description="Line of the original manifest, from 1.")]
    id: Annotated[str, Field(description="Id of the row.")]
    problem: Annotated[str | None, Field(description="Why the audio cannot be decoded; null if it can.")] = None
    manifest_duration: Annotated[
        float,
        Field(description="Duration in seconds by the manifest, or by the audio header where the manifest has none."),
    ]
    characters: Annotated[int, Field(description="Characters of the transcript without markup and spaces.")]
    seconds: Annotated[float | None, Field(description="Duration of the decoded audio in seconds.")] = None
    rate: Annotated[int | None, Field(description="Sampling rate of the file in Hz.")] = None
    channels: Annotated[int | None, Field(description="Channels of the file.")] = None
    level: Annotated[
        float | None, Field(description="Level of the loud parts in dBFS: 95th percentile over frames of 20 ms.")
    ] = None
    clipped: Annotated[
        float | None, Field(description="Share of samples (0..1) in flat runs at the peak of the recording.")
    ] = None
    bandwidth: Annotated[
        float | None,
        Field(
            description="Highest frequency in Hz at which the mean spectrum is within 50 dB of its strongest band; "
            "null in silence."
        ),
    ] = None
    audio_hash: Annotated[str | None, Field(description="Hash of the decoded samples at their own sampling rate.")] = (
        None
    )
    channel: Annotated[int | None, Field(description="Channel that was used, from 0; null for all mixed to mono.")] = (
        None
    )


class SharedRow(Record):
    """A row of an evaluation manifest that is in the training manifest too."""

    line: int | None = Field(description="Line in the evaluation manifest.")
    id: str = Field(description="Id in the evaluation manifest.")
    train_line: int | None = Field(description="Line in the training manifest.")
    train_id: str = Field(description="Id in the training manifest.")


class LeakageFacts(Record):
    """What an evaluation manifest shares with the training manifest.

    All usable rows of the training manifest count, also those that the duration filter or the split leave out.
    """

    manifest: str = Field(description="Name of the evaluation manifest.")
    rows: int = Field(description="Usable rows of the evaluation manifest.")
    speakers: int | None = Field(description="Its known speakers; null where no row names one.")
    same_audio: list[SharedRow] = Field(description="Rows with equal decoded samples.")
    same_reading: list[SharedRow] = Field(description="Rows with the same normalised text and the same known speaker.")
    same_sentence: list[SharedRow] = Field(description="Rows with the same normalised text by any speaker.")
    shared_speakers: list[str] = Field(description="Speakers of both manifests.")


class MismatchedTranscript(Record):
    """A row whose audio matches the transcript of another row.

    Distances are Levenshtein distances between the hypothesis and a transcript, divided by the length of the longer.
    """

    line: int | None = Field(description="Line of the row in its manifest.")
    id: str = Field(description="Id of the row.")
    own_distance: float = Field(description="Distance (0..1) of the hypothesis to the row's own transcript.")
    other_line: int | None = Field(description="Line of the row whose transcript fits.")
    other_id: str = Field(description="Id of the row whose transcript fits; the nearest one that has it.")
    other_distance: float = Field(description="Distance (0..1) of the hypothesis to that transcript.")


class MismatchFacts(Record):
    """Whether transcripts belong to their audio, judged by hypotheses."""

    manifest: str = Field(description="Name of the manifest.")
    rows: int = Field(description="Usable rows of the manifest.")
    compared: int = Field(description="Rows with a hypothesis that is long enough to identify a transcript.")
    too_short: int = Field(description="Rows whose hypothesis is too short for that.")
    suspects: int = Field(description="Compared rows whose hypothesis is unlike their own transcript.")
    suspect_lines: list[int] = Field(default=[], description="Lines of the first ten of these rows.")
    generic_hypotheses: int = Field(
        description="Suspects whose hypothesis the model gives for more rows than have that transcript."
    )
    comparisons: int = Field(description="Pairs of texts whose distance was computed.")
    mismatched: list[MismatchedTranscript] = Field(description="Suspects that the transcript of another row fits.")
