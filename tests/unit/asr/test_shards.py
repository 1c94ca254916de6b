"""Shards are equal parts of a manifest's audio."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.shards import Shard
from lora.records.manifests import Utterance


@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
def test_every_row_is_in_one_shard_and_shards_have_as_much_audio(count: int) -> None:
    rows = [Utterance(id=f"u{n}", audio=f"{n}.wav", text="a", duration=1.0 + n % 7 * 4) for n in range(35)]
    shards = [Shard(number, count).of(Rows(rows, Path())).rows for number in range(1, count + 1)]
    assert sorted(row.id for shard in shards for row in shard) == sorted(row.id for row in rows)
    seconds = [sum(row.duration for row in shard) for shard in shards]
    assert max(seconds) - min(seconds) <= max(row.duration for row in rows)
