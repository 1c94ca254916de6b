"""The run record next to a result (`<file>.run.json`): what computed it."""

from __future__ import annotations

from pydantic import Field

from lora.records.base import Record


class RunRecord(Record):
    """What the last execution of a command did.

    Times, hosts, commits and absolute paths are in run records and nowhere else in results.
    """

    command: str = Field(description="Exact command.")
    started: str = Field(description="Start as an ISO 8601 time in UTC.")
    seconds: float = Field(description="Wall-clock time in seconds.")
    peak_memory_mb: float = Field(description="Largest resident set in MB.")
    host: str = Field(description="Name of the machine.")
    platform: str = Field(description="Operating system.")
    python: str = Field(description="Version of Python.")
    versions: dict[str, str] = Field(description="Versions of the installed packages that results depend on.")
    commit: str | None = Field(
        description="Commit of this software, `-dirty` if its code is changed; null outside a repository."
    )
    seed: int | None = Field(default=None, description="Seed; null for a command without one.")
    device: str | None = Field(default=None, description="Type of the device, e.g. `cpu`; null without a model.")
    dtype: str | None = Field(default=None, description="Number format of the model; null without a model.")
    fallbacks: list[str] = Field(default=[], description="Devices or number formats other than the requested ones.")
    adjustments: list[str] = Field(default=[], description="Other things that were adjusted, such as the batch size.")
    utterances_decoded: int | None = Field(default=None, description="Utterances that were decoded.")
    utterances_reused: int | None = Field(default=None, description="Utterances that came from the cache.")
    optimizer_steps: int | None = Field(default=None, description="Optimiser steps that were done.")
    outputs: list[str] = Field(default=[], description="Files and folders that were written.")
    contents: dict[str, str] = Field(
        default={}, description="Hash of size and samples of every file among them, by which a later change is noticed."
    )
