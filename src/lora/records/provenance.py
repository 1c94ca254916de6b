"""Who made a result: the run record that stands beside it as `<file>.run.json`."""

from __future__ import annotations

from lora.records.base import Record


class RunRecord(Record):
    """What the last execution did.

    Times, hosts, commits and absolute paths stand here and nowhere else in results.

    `seconds` is wall time; `peak_memory_mb` the resident set at its largest; `fallbacks` are device or dtype choices
    that differ from what was asked, and `adjustments` whatever else a person should know was done for them (batch
    halved).
    """

    command: str
    started: str
    seconds: float
    peak_memory_mb: float
    host: str
    platform: str
    python: str
    versions: dict[str, str]
    commit: str | None
    seed: int | None = None
    device: str | None = None
    dtype: str | None = None
    fallbacks: list[str] = []
    adjustments: list[str] = []
    utterances_decoded: int | None = None
    utterances_reused: int | None = None
    optimizer_steps: int | None = None
    outputs: list[str] = []
