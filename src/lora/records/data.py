"""Facts about training data: what survives a duration threshold, and which one was chosen."""

from __future__ import annotations

from typing import Literal

from lora.records.base import Record


class SplitOption(Record):
    """What the split would be if training kept rows of at most `threshold` seconds."""

    threshold: float
    rows: int
    hours: float
    train_rows: int
    val_rows: int
    speakers: int | None


class DurationDecision(Record):
    """Why `max_seconds` is what it is. `results/durations/decision.json`; the value alone: `results/max_seconds.json`.

    `configured` is null for `auto`. `sufficient` is the smallest threshold with enough training rows, null if none has.
    `status`: chosen (auto), judged_sufficient or judged_starving (a number in the configuration), none_sufficient (auto
    falls back to the largest threshold, or null if no row survives any).
    """

    max_seconds: float | None
    configured: float | None
    status: Literal["chosen", "judged_sufficient", "judged_starving", "none_sufficient"]
    sufficient: float | None
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
    many rows (or running words) by lot would lose. Rates are words per second, null where there are no rows.
    """

    threshold: float
    rows: int
    hours: float
    lost_speakers: list[str]
    expected_lost_speakers: float
    lost_words: list[str]
    lost_word_count: int
    expected_lost_word_count: float
    lost_word_share: float
    expected_lost_word_share: float
    kept_rate: float | None
    dropped_rate: float | None


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
