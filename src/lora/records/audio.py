"""What the audio of a row truly is, measured from its samples."""

from __future__ import annotations

from lora.records.base import Record


class AudioMeasure(Record):
    """One usable line of a manifest; a row of `results/integrity/<m>.tsv`. Null where audio cannot be decoded.

    `problem` says why it cannot. `claimed` is the duration by the manifest (or by the header, where the manifest has
    none) and `seconds` what was decoded. `rate` is in Hz. `level` is the loudness of the loud parts: the 95th
    percentile of 20 ms frames, in dB to full scale. `clipped` is the share of samples in flat runs at the row's own
    peak. `bandwidth` is in Hz, up to where the mean spectrum is within 50 dB of its strongest band; null in silence.
    `characters` counts the text without blanks. `audio_hash` is of the decoded samples at their own rate. `channel` is
    the one of `channels` that was heard (from 0), null for all of them mixed to one.
    """

    line: int | None
    id: str
    problem: str | None = None
    manifest_duration: float
    characters: int
    seconds: float | None = None
    rate: int | None = None
    channels: int | None = None
    level: float | None = None
    clipped: float | None = None
    bandwidth: float | None = None
    audio_hash: str | None = None
    channel: int | None = None
