"""The split of the training manifest into training and validation rows."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Record


class SplitSizes(Record):
    """Size of one part of the split."""

    part: Literal["train", "val", "too_long"] = Field(description="`too_long`: rows above `max_seconds`.")
    rows: int = Field(description="Rows.")
    hours: float = Field(description="Their duration in hours.")
    speakers: int | None = Field(description="Their known speakers; empty where no row names one.")


class SeededSplit(Record):
    """The split with one seed."""

    seed: int = Field(description="Seed of the split.")
    train_rows: int = Field(description="Rows left for training.")
    train_speakers: int | None = Field(description="Their known speakers; null where no row names one.")


class StabilityFacts(Record):
    """How far the split at `max_seconds` depends on its seed."""

    max_seconds: float | None = Field(description="`max_seconds` of the study in seconds; null is no limit.")
    speakers: int | None = Field(description="Known speakers of the rows within it; null where no row names one.")
    splits: list[SeededSplit] = Field(description="One entry per seed; the study's own seed is first.")
