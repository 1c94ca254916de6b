"""Shards of a run: equal parts of its rows, each transcribed by a job of its own. Torch-free."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lora.asr.decoding.audio_store import Rows


@dataclass(frozen=True)
class Shard:
    """Part `number` of `count`, from 1."""

    number: int
    count: int

    @property
    def name(self) -> str:
        return f"{self.number}-of-{self.count}"

    def of(self, rows: Rows) -> Rows:
        """The rows of this shard: every count-th one by length, so that all shards have about as much audio."""
        by_length = sorted(rows.rows, key=lambda row: -(row.duration or 0.0))
        return replace(rows, rows=by_length[self.number - 1 :: self.count])
