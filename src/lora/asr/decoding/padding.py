"""The padding grid: an utterance is padded to a length that depends only on itself. Torch-free.

Some models normalise over time including the padding (the first layer of Moonshine does), so that a hypothesis depends
on how much its utterance was padded. Every utterance is therefore padded to the next step of a fixed grid, and a batch
contains one step only: the hypothesis does not depend on the rest of the batch. Repeated shapes are faster, too.
Transcription, training, validation, label audit and effect ladder all use this grid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GRID_SECONDS = 1.0

Samples = NDArray[np.float32]


def padded_samples(n: int, sampling_rate: int, step_seconds: float = GRID_SECONDS) -> int:
    """Round `n` samples up to a multiple of the grid step, at least one step."""
    step = round(step_seconds * sampling_rate)
    return max(1, -(-n // step)) * step


def batches(
    lengths: Sequence[int],
    sampling_rate: int,
    batch_seconds: float,
    batch_size: int,
    step_seconds: float = GRID_SECONDS,
) -> list[list[int]]:
    """Group utterances into batches of one grid step each, longest step first, in the given order within a step.

    The longest come first so that memory runs out at the start or never.

    Args:
        lengths: Number of samples of each utterance.
        sampling_rate: In Hz.
        batch_seconds: Largest duration of padded audio in a batch (a batch has at least one utterance).
        batch_size: Largest number of utterances in a batch.
        step_seconds: Step of the grid.

    Returns:
        Positions in `lengths`, by batch.
    """
    by_step: dict[int, list[int]] = {}
    for position, n in enumerate(lengths):
        by_step.setdefault(padded_samples(n, sampling_rate, step_seconds), []).append(position)
    result = []
    for padded in sorted(by_step, reverse=True):
        size = max(1, min(batch_size, int(batch_seconds * sampling_rate // padded)))
        positions = by_step[padded]
        result += [positions[start : start + size] for start in range(0, len(positions), size)]
    return result
