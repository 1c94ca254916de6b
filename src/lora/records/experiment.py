"""The record of one training: configuration, data, model, hardware, command, and how it ended."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lora.records.base import Record
from lora.records.provenance import RunRecord
from lora.records.settings import ModelIdentity

Status = Literal["running", "finished", "failed", "cancelled"]


class DataIdentity(Record):
    """Rows that a training used."""

    path: str = Field(description="File of the rows, as given on the command line.")
    rows: int = Field(description="Number of rows.")
    hash: str = Field(description="Hash of id, text and audio of every row.")


class Hardware(Record):
    """The machine of an execution."""

    cpu: str = Field(description="Model of the CPU.")
    cores: int | None = Field(description="Logical cores of the machine.")
    memory_gb: float | None = Field(description="Main memory in GB.")
    gpus: list[str] = Field(description="Model and memory of every NVIDIA GPU.")


class Experiment(Record):
    """`adapters/<run>/experiment.json`: the training of a run; attempts that did not finish are kept apart."""

    run: str = Field(description="Name of the run.")
    status: Status = Field(description="`cancelled`: interrupted, or killed and found by the next attempt.")
    attempt: int = Field(description="1, plus the attempts at the same training that did not finish.")
    ended: str | None = Field(description="End as an ISO 8601 time in UTC; null while it runs or if it was killed.")
    error: str | None = Field(description="Why it did not finish; null otherwise.")
    code: str | None = Field(description="Cause that made the training impossible; null otherwise.")
    optimizer_steps: int | None = Field(
        description="Optimiser steps of the whole training, also those of earlier attempts; null if it did not finish."
    )
    training: str = Field(description="Hash of everything that determines the weights: the folder in `work/train/`.")
    settings: dict[str, Any] = Field(description="Training settings, the seed among them.")
    data: dict[str, DataIdentity] = Field(
        description="The rows for `train` and `validation`, and `replay` where rows are replayed."
    )
    model: ModelIdentity = Field(description="The base model.")
    processes: int = Field(description="Processes of the training.")
    hardware: Hardware = Field(description="The machine.")
    execution: RunRecord = Field(description="Command, start, duration and software of this attempt (a run record).")
