"""How much audio survives a duration threshold: the one test that tables, filters and scores share."""

from __future__ import annotations

from collections.abc import Iterable

from lora.records.utterances import Utterance


def survives(duration: float, max_seconds: float | None) -> bool:
    """Whether audio of `duration` seconds is kept; None keeps everything."""
    return max_seconds is None or duration <= max_seconds


def hours(rows: Iterable[Utterance]) -> float:
    return sum(row.duration for row in rows) / 3600.0


def speakers(rows: Iterable[Utterance]) -> int | None:
    """Number of known speakers; None where no row names one."""
    return len({row.speaker_id for row in rows} - {None}) or None
