"""Facts about manifests and training data: how they were read, what survives a threshold, which one was chosen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Record


class ManifestFacts(Record):
    """How a manifest was read, and what it holds. `results/manifests/<m>.facts.json`.

    `columns` maps our fields to the names that a table has for them. `speakers` counts known ones of the usable rows,
    null where no row names one.
    """

    format: str
    split: str | None
    columns: dict[str, str]
    rows: int
    rejected: int
    hours: float
    speakers: int | None


class RejectedRow(Record):
    """A line of a manifest that cannot be used; a row of `results/manifests/<m>.rejected.tsv`."""

    line: int = Field(description="Line of the manifest, from 1.")
    id: str | None = Field(default=None, description="Id of the row, where the line has one.")
    reason: str = Field(description="Why the line cannot be used; starts with the kind of fault.")


class DurationRow(Record):
    """What one duration threshold keeps of one manifest; a row of `results/durations/*.tsv`."""

    manifest: str = Field(description="Name of the manifest.")
    threshold: str = Field(description="Threshold in seconds, or `all` for the whole manifest.")
    rows: int = Field(description="Rows of at most `threshold` seconds.")
    share: float | None = Field(description="These rows as a share of all rows (0..1).")
    hours: float = Field(description="Their duration in hours.")
    hours_share: float | None = Field(description="Their duration as a share of that of all rows (0..1).")
    speakers: int | None = Field(description="Known speakers among them; empty where no row names one.")
    mean: float | None = Field(description="Mean duration in seconds; only in the row `all`.")
    median: float | None = Field(description="Median duration in seconds; only in the row `all`.")
    longest: float | None = Field(description="Longest duration in seconds; only in the row `all`.")


class SplitOption(Record):
    """What the split would be if training kept rows of at most `threshold` seconds.

    `seeded_train_rows` are the training rows with each of the split seeds that were tried, the study's first;
    `fewest_train_speakers` the fewest known speakers that any of them leaves to training, null where none is known.
    """

    threshold: float
    rows: int
    hours: float
    train_rows: int
    val_rows: int
    speakers: int | None
    seeded_train_rows: list[int] = []
    fewest_train_speakers: int | None = None


class DurationDecision(Record):
    """Why `max_seconds` is what it is. `results/durations/decision.json`; the value alone: `results/max_seconds.json`.

    `configured` is null for `auto`. `sufficient` is the smallest threshold with enough training rows, `stable` the
    smallest with enough by every split seed, none of which keeps too many speakers out; null if none is.
    `status`: chosen (auto), judged_sufficient or judged_starving (a number in the configuration), none_sufficient (auto
    falls back to the largest threshold, or null if no row survives any).
    """

    max_seconds: float | None
    configured: float | None
    status: Literal["chosen", "judged_sufficient", "judged_starving", "none_sufficient"]
    sufficient: float | None
    stable: float | None = None
    min_train_samples: int
    model_window_seconds: float | None
    options: list[SplitOption]
    reason: str


class MaxSeconds(Record):
    """The one value everything below the checkpoint depends on. `results/max_seconds.json`."""

    max_seconds: float | None


class SplitSizes(Record):
    """Rows, hours and speakers of one part of the split; a row of `results/splits/sizes.tsv`."""

    part: Literal["train", "val", "too_long"]
    rows: int
    hours: float
    speakers: int | None


class RetentionPoint(Record):
    """What a threshold (seconds; null keeps everything) leaves of a manifest; `words` counts distinct ones."""

    threshold: float | None
    rows: int
    hours: float
    speakers: int | None
    words: int


class Dropped(Record):
    """What a threshold takes away, beside what it keeps.

    `lost_speakers` and `lost_words` are on no remaining row; words stand most frequent first, at most 20 of
    `lost_word_count`. `lost_word_share` is their share of the running words. The expected figures are what dropping as
    many rows (or running words) by lot would lose; `lost_speaker_probabilities`, in the order of `lost_speakers`, are how likely
    that would take all rows of that one speaker. Rates are words per second, null where there are no rows.
    """

    threshold: float
    rows: int
    hours: float
    lost_speakers: list[str]
    expected_lost_speakers: float
    lost_speaker_probabilities: list[float] = []
    lost_words: list[str]
    lost_word_count: int
    expected_lost_word_count: float
    lost_word_share: float
    expected_lost_word_share: float
    kept_words_per_second: float | None
    dropped_words_per_second: float | None


class RetentionFacts(Record):
    """Who and what a duration filter keeps of the training manifest. `results/durations/retention.json`.

    `curve` runs over a fine grid and ends with everything; `dropped` holds one entry a threshold of the configuration.
    """

    curve: list[RetentionPoint]
    dropped: list[Dropped]


class SharedRow(Record):
    """An evaluation row that training holds too; lines are those of the two manifests."""

    line: int | None
    id: str
    train_line: int | None
    train_id: str


class LeakageFacts(Record):
    """What an evaluation manifest has in common with the training manifest. `results/leakage/<m>.json`.

    All rows of the training manifest count, whatever the filter and the split make of them. `same_audio` are rows whose
    decoded samples are equal, `same_reading` rows with the same normalised text by the same (known) speaker,
    `same_sentence` rows with the same normalised text by whomever. `speakers` counts known ones of the manifest.
    """

    manifest: str
    rows: int
    speakers: int | None
    same_audio: list[SharedRow]
    same_reading: list[SharedRow]
    same_sentence: list[SharedRow]
    shared_speakers: list[str]


class SeededSplit(Record):
    """The split with one seed: rows and known speakers left to training (null where none is known)."""

    seed: int
    train_rows: int
    train_speakers: int | None


class StabilityFacts(Record):
    """How far the split at `max_seconds` depends on its seed; the first is the study's. `splits/stability.json`.

    `speakers` counts known speakers of the rows that survive, null where no row names one.
    """

    max_seconds: float | None
    speakers: int | None
    splits: list[SeededSplit]


class MismatchedTranscript(Record):
    """A row whose audio says the text of another row. Distances are shares of characters that differ (0..1).

    Edits (Levenshtein) between what the base model heard and a text, over the longer of the two: `own_distance` of the
    row's own text, `other_distance` of the text of the row `other_id`, the nearest in the file that carries it.
    """

    line: int | None
    id: str
    own_distance: float
    other_line: int | None
    other_id: str
    other_distance: float


class MismatchFacts(Record):
    """Do texts belong to their audio, by what the base model hears? `results/mismatches/<m>.json`.

    `rows` is the size of the manifest, `compared` the rows with a hypothesis long enough to tell texts apart,
    `too_short` the others that were heard. `suspects` of the compared rows are unlike their own text; of these
    `mismatched` lists the ones that another text fits, and `generic_hypotheses` counts those whose text the model says to more
    rows than carry it. `comparisons` is the number of pairs of texts whose distance was computed.
    """

    manifest: str
    rows: int
    compared: int
    too_short: int
    suspects: int
    generic_hypotheses: int
    comparisons: int
    mismatched: list[MismatchedTranscript]
