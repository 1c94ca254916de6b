"""How far an utterance is padded: to a length that depends on itself alone.

Some models normalise over time, padding included (Moonshine's first layer does), so that an utterance's
text depends on how far it was padded. Padding every utterance to the next step of a fixed grid, and never
putting two steps into one batch, makes the text independent of its neighbours; shapes repeat, which is
faster too. Transcription, training, validation, label audit and effect all use this grid. Torch-free.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

GRID_SECONDS = 1.0

Samples = NDArray[np.float32]


def padded_samples(n: int, sampling_rate: int, step_seconds: float = GRID_SECONDS) -> int:
    """The next multiple of the grid step that holds `n` samples, at least one step."""
    step = round(step_seconds * sampling_rate)
    return max(1, -(-n // step)) * step


def batches(
    lengths: Sequence[int],
    sampling_rate: int,
    batch_seconds: float,
    batch_size: int,
    step_seconds: float = GRID_SECONDS,
) -> list[list[int]]:
    """Positions grouped into batches of one grid step, longest step first, order kept within a step.

    A batch holds at most `batch_seconds` of padded audio and `batch_size` utterances, and always at least
    one. The longest come first so that memory runs out at once or never.
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
