"""What one utterance is: its manifest row, its transcript, and the settings a run transcribed it with."""

from __future__ import annotations

from typing import Any

from lora.records.base import Fact, Record


class Utterance(Record):
    """One usable manifest row.

    `audio` is a path, absolute as a person wrote it or relative to the folder of the file that holds the row; inline
    audio stands in `samples` (floats in -1..1) with `sampling_rate` (Hz). `duration` and `offset` are seconds;
    `channel` (from 0) is the one that is heard, null mixes all; `line` is the line of the person's own manifest.
    """

    id: str
    text: str
    duration: float
    audio: str | None = None
    offset: float | None = None
    channel: int | None = None
    speaker_id: str | None = None
    samples: list[float] | None = None
    sampling_rate: int | None = None
    line: int | None = None


class Transcript(Record):
    """What a run heard: `hypothesis` is the model's raw text, `truncated` says that the token cap cut it.

    `reference` is the text of the study's own row. `external_reference` is that of a transcript made elsewhere, where it
    is another one.
    """

    id: str
    reference: str
    hypothesis: str
    duration: float
    truncated: bool
    external_reference: str | None = None

    @property
    def run_reference(self) -> str:
        """The text that the run itself was held against."""
        return self.reference if self.external_reference is None else self.external_reference


class ModelIdentity(Record):
    """A model as its files: `hash` covers weights, configuration, tokenizer and feature extractor."""

    id: str
    revision: str | None
    hash: str
    family: str
    window_seconds: float | None


class AdapterIdentity(Record):
    """An adapter as its files; `source` is the path as given on the command line or in the configuration."""

    source: str
    hash: str


class ManifestIdentity(Record):
    """Rows of an evaluation, independent of their order: `content_hash` covers id, text and audio of every row.

    Null where nobody recorded how many rows there were, or which audio was heard (transcripts made elsewhere).
    """

    name: str
    rows: int | None
    content_hash: str | None


class RunSettings(Fact):
    """Everything that could make the WER of two runs incomparable. `results/transcripts/<run>/<m>.settings.json`.

    `decode` is the effective generation configuration after defaults; `preprocess` holds sampling_rate, target_rms,
    resampler and padding_seconds; `device` holds type and dtype; `software` the versions of libraries that touch
    samples, tensors or text. A value nobody recorded (transcripts made elsewhere) is null and means unknown, not equal.
    `fingerprint` covers all but the manifest and names the transcript cache. Only the runner makes one: a record with
    it holds every key of its sections, in one without it a missing key is unknown too. An impossible run (no adapter
    to load) has the facts it has and null for the rest.
    """

    run: str
    manifest: ManifestIdentity | None = None
    model: ModelIdentity | None = None
    adapter: AdapterIdentity | None = None
    preprocess: dict[str, Any] | None = None
    decode: dict[str, Any] | None = None
    device: dict[str, str] | None = None
    software: dict[str, str] | None = None
    fingerprint: str | None = None
