"""What a job that transcribed a part of a run's rows leaves for the job that merges all parts."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Fact


class ShardFacts(Fact):
    """The device that a shard was transcribed on, or why nothing could be transcribed."""

    device: str | None = Field(default=None, description="Type of the device; null if nothing could be transcribed.")
    dtype: str | None = Field(default=None, description="Number type of the model.")
    fallbacks: list[str] = Field(default=[], description="Devices or number types other than the requested ones.")
    unusable_model: bool = Field(default=False, description="Whether it is the model, not the adapter, that is broken.")
