"""Settings of a run: everything that could make the WER of two runs incomparable."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from lora.records.base import Fact, Record


class ModelIdentity(Record):
    """A model by its files."""

    id: str = Field(description="Folder or hub id of the model.")
    revision: str | None = Field(description="Revision on the hub; null for a folder or the default revision.")
    hash: str = Field(description="Hash of weights, configuration, tokenizer and feature extractor.")
    family: str = Field(description="Model family, e.g. `whisper`.")
    window_seconds: float | None = Field(description="Longest audio that the model takes, in seconds; null: any.")


class AdapterIdentity(Record):
    """An adapter by its files."""

    source: str = Field(description="Path as given on the command line or in the configuration.")
    hash: str = Field(description="Hash of its weights and configuration.")


class ManifestIdentity(Record):
    """The rows of an evaluation, independent of their order."""

    name: str = Field(description="Name of the manifest.")
    rows: int | None = Field(description="Number of rows; null if not recorded.")
    content_hash: str | None = Field(description="Hash of id, text and audio of every row; null if not recorded.")


class RunSettings(Fact):
    """Settings that transcripts were computed with.

    A null section or value is not recorded (external transcripts) and means unknown, not equal. Only the runner of this
    software computes a `fingerprint`: a record with one has every key of its sections; in a record without one a
    missing key is unknown too.
    """

    run: str = Field(description="Name of the run.")
    manifest: ManifestIdentity | None = Field(default=None, description="The rows that were transcribed.")
    model: ModelIdentity | None = Field(default=None, description="The model, before any adapter.")
    adapter: AdapterIdentity | None = Field(default=None, description="The adapter; null without one.")
    preprocess: dict[str, Any] | None = Field(
        default=None, description="`sampling_rate` (Hz), `target_rms`, `resampler` and `padding_seconds`."
    )
    decode: dict[str, Any] | None = Field(
        default=None, description="Effective generation configuration, defaults included."
    )
    device: dict[str, str] | None = Field(default=None, description="`type` and `dtype` of the device.")
    software: dict[str, str] | None = Field(
        default=None, description="Versions of the libraries that process audio, tensors or text."
    )
    fingerprint: str | None = Field(
        default=None, description="Hash of all settings but the manifest; names the transcript cache."
    )
