"""Replay: rows of general speech in every training batch, so that the model does not forget it. Torch-free.

Replayed rows have the padding step of their batch, because a batch has one step only. Where `replay` has no row of that
step, later batches with room make up for it, so that the share that was delivered may be below the one asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from lora.asr.decoding.audio_store import Rows
from lora.asr.training.data import plan_batches
from lora.records.manifests import Utterance
from lora.records.training import ReplayFacts

STREAM = 2  # of the seed; 0 and 1 order rows and batches of training


def plan_with_replay(
    steps: Sequence[int], replayed: Sequence[int], batch_size: int, count: int, seed: int, share: float
) -> list[list[int]]:
    """Training batches, completed with rows of `replay`.

    Args:
        steps: Padding step of each training row.
        replayed: Padding step of each row of `replay`.
        batch_size: Most rows per batch.
        count: Number of batches.
        seed: Determines the order of both.
        share: Share of the rows of every batch that come from `replay`, below 1.

    Returns:
        Row numbers by batch; those of `replay` are counted after those of training.
    """
    plan = plan_batches(steps, round(batch_size * (1 - share), 9), count, seed)
    pools = {step: _endlessly(replayed, step, seed) for step in set(replayed)}
    due = 0.0
    for batch in plan:
        due += len(batch) * share / (1 - share)
        pool = pools.get(steps[batch[0]])
        if pool is not None:
            rows = min(int(due + 0.5), batch_size - len(batch))
            batch += [len(steps) + next(pool) for _ in range(rows)]
            due -= rows
    return plan


def _endlessly(steps: Sequence[int], step: int, seed: int) -> Iterator[int]:
    """Rows of a padding step, pass after pass, each in a seeded order."""
    rows = [row for row, own in enumerate(steps) if own == step]
    number = 0
    while True:
        yield from (rows[i] for i in np.random.default_rng([seed, STREAM, step, number]).permutation(len(rows)))
        number += 1


def replay_facts(
    rows: Sequence[Utterance], training_rows: int, plan: Sequence[Sequence[int]], share: float
) -> ReplayFacts:
    """What batches really contained.

    Args:
        rows: Rows of training, then those of `replay`.
        training_rows: Number of the former.
        plan: The batches that were trained on.
        share: The share that was asked for.
    """
    used = [index for batch in plan for index in batch]
    replayed = [index for index in used if index >= training_rows]
    seconds, all_seconds = (sum(rows[index].duration for index in some) for some in (replayed, used))
    return ReplayFacts(
        share=share,
        available_rows=len(rows) - training_rows,
        used_rows=len(set(replayed)),
        row_share=len(replayed) / len(used) if used else None,
        seconds_share=seconds / all_seconds if all_seconds else None,
    )


def joined(train: Rows, replay: Rows) -> Rows:
    """Rows of training, then those of `replay`, whose audio is found from the folder of training."""
    moved = [
        row if row.audio is None else replace(row, audio=str(replay.folder.absolute() / row.audio))
        for row in replay.rows
    ]
    return Rows([*train.rows, *moved], train.folder)
