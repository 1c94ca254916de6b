"""Durations of the data: what thresholds keep, and how `max_seconds` was chosen."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Record


class DurationRow(Record):
    """What one duration threshold keeps of one manifest."""

    manifest: str = Field(description="Name of the manifest.")
    threshold: str = Field(description="Threshold in seconds, or `all` for the whole manifest.")
    rows: int = Field(description="Rows of at most `threshold` seconds.")
    share: float = Field(description="These rows as a share of all rows (0..1).")
    hours: float = Field(description="Their duration in hours.")
    hours_share: float = Field(description="Their duration as a share of the duration of all rows (0..1).")
    speakers: int | None = Field(description="Known speakers among them; empty where no row names one.")
    mean: float | None = Field(description="Mean duration in seconds; only in the row `all`.")
    median: float | None = Field(description="Median duration in seconds; only in the row `all`.")
    longest: float | None = Field(description="Longest duration in seconds; only in the row `all`.")


class SplitOption(Record):
    """The split if training kept rows of at most `threshold` seconds."""

    threshold: float = Field(description="Threshold in seconds.")
    rows: int = Field(description="Rows of at most `threshold` seconds.")
    hours: float = Field(description="Their duration in hours.")
    train_rows: int = Field(description="Rows left for training after the split.")
    val_rows: int = Field(description="Rows held out for validation.")
    speakers: int | None = Field(description="Known speakers of the rows; null where no row names one.")
    seeded_train_rows: list[int] = Field(
        default=[], description="Training rows with each split seed that was tried; the study's own seed is first."
    )
    fewest_train_speakers: int | None = Field(
        default=None, description="Fewest known training speakers over these seeds; null where no row names a speaker."
    )
    padded_seconds: float | None = Field(
        default=None,
        description="Audio in seconds to which the model pads a row of `threshold` seconds: time and memory of a step "
        "grow with it. null where it is not known.",
    )
    lost: list[str] | None = Field(
        default=None,
        description="What the limit removes beyond chance, as `data.filtered_rows` names it (`speakers_lost`, "
        "`speakers_removed`, `words_lost`, `speaking_rate`); null where it was not compared.",
    )


class DurationDecision(Record):
    """How `max_seconds` was chosen."""

    max_seconds: float | None = Field(description="The choice in seconds; null if no row survives any threshold.")
    configured: float | None = Field(description="Value of the configuration in seconds; null for `auto`.")
    status: Literal["chosen", "judged_sufficient", "judged_starving", "none_sufficient"] = Field(
        description="`chosen`: by `auto`; `judged_sufficient` or `judged_starving`: a configured value that leaves "
        "enough or too few rows; `none_sufficient`: `auto` fell back to the largest threshold."
    )
    sufficient: float | None = Field(
        description="Smallest threshold in seconds that leaves `min_train_samples` training rows; null if none does."
    )
    stable: float | None = Field(
        default=None,
        description="Smallest threshold that does so with every split seed, none of which sets aside too many "
        "speakers; "
        "null if none does.",
    )
    min_train_samples: int = Field(description="`durations.min_train_samples` of the configuration.")
    model_window_seconds: float | None = Field(description="Longest audio that the model takes, in seconds; null: any.")
    options: list[SplitOption] = Field(description="One entry per threshold, in ascending order.")
    reason: str = Field(description="The decision in a sentence.")


class MaxSeconds(Record):
    """The value of `max_seconds`, on which everything below the checkpoint depends."""

    max_seconds: float | None = Field(description="Longest row in seconds that training uses; null is no limit.")


class RetentionPoint(Record):
    """What a threshold keeps of a manifest."""

    threshold: float | None = Field(description="Threshold in seconds; null keeps everything.")
    rows: int = Field(description="Rows that are kept.")
    hours: float = Field(description="Their duration in hours.")
    speakers: int | None = Field(description="Their known speakers; null where no row names one.")
    words: int = Field(description="Their distinct words.")


class Dropped(Record):
    """What a threshold drops, next to what it keeps.

    The expected figures are what a random sample of as many rows (or running words) would lose.
    """

    threshold: float = Field(description="Threshold in seconds.")
    rows: int = Field(description="Rows that are dropped.")
    hours: float = Field(description="Their duration in hours.")
    lost_speakers: list[str] = Field(description="Speakers of whom no row is kept.")
    expected_lost_speakers: float = Field(description="Number of speakers that a random drop would lose.")
    lost_speaker_probabilities: list[float] = Field(
        default=[],
        description="For each of `lost_speakers` the probability that a random drop would take all of their rows.",
    )
    lost_words: list[str] = Field(description="Words in no kept row, most frequent first, at most 20.")
    lost_word_count: int = Field(description="Number of distinct words in no kept row.")
    expected_lost_word_count: float = Field(description="Number of distinct words that a random drop would lose.")
    lost_word_share: float = Field(description="Share of the lost words in the running words (0..1).")
    expected_lost_word_share: float = Field(description="That share after a random drop.")
    kept_words_per_second: float | None = Field(description="Words per second of the kept rows; null without rows.")
    dropped_words_per_second: float | None = Field(
        description="Words per second of the dropped rows; null without rows."
    )


class RetentionFacts(Record):
    """Speakers and words that duration thresholds keep and drop in the training manifest."""

    curve: list[RetentionPoint] = Field(description="Points of a fine grid of thresholds; the last keeps everything.")
    dropped: list[Dropped] = Field(description="One entry per threshold of the configuration.")
