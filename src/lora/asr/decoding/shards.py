"""Shards of a run: equal parts of its rows, transcribed by jobs side by side, and merged by one more. Torch-free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lora.asr.adapter.problem import AdapterProblem
from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import Device
from lora.asr.model_json import UnusableModel
from lora.records.base import UserError
from lora.records.shards import ShardFacts


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


def facts_of_problem(problem: AdapterProblem | UnusableModel) -> ShardFacts:
    """Facts of a shard of a broken candidate."""
    if isinstance(problem, AdapterProblem):
        return ShardFacts(status="impossible", code=problem.code, message=problem.message)
    return ShardFacts(status="impossible", message=str(problem), unusable_model=True)


def device_of_shards(shards: Sequence[ShardFacts], threads: int) -> Device:
    """The device that all shards were transcribed on, which the machine that merges them may lack.

    Args:
        shards: Facts of all shards, at least one.
        threads: CPU threads, which are the same everywhere.

    Raises:
        AdapterProblem, UnusableModel: The problem of a shard of a broken candidate.
        UserError: The shards used different devices, so that their hypotheses are no single run's.
    """
    for shard in shards:
        if shard.status == "impossible" and shard.unusable_model:
            raise UnusableModel(shard.message)
        if shard.status == "impossible":
            raise AdapterProblem(shard.code or "adapter.not_loaded", shard.message or "the adapter cannot be used")
    kinds = sorted({(str(shard.device), str(shard.dtype)) for shard in shards})
    if len(kinds) > 1:
        raise UserError(
            f"the shards were transcribed on different devices: {', '.join(' in '.join(kind) for kind in kinds)}. "
            "Set model.device and model.dtype to what all machines have."
        )
    ((device, dtype),) = kinds
    fallbacks = list(dict.fromkeys(text for shard in shards for text in shard.fallbacks))
    return Device(device, dtype, threads, fallbacks)
