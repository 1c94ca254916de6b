"""What a generation gave: texts, tokens up to the end mark, and how likely the model found them. Imports torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Generated:
    """Raw texts, new token ids up to the end mark, and whether the token cap cut them; one an utterance.

    `log_probabilities` (nats, summed over an utterance's token ids) are those of the model's own logits at each step,
    before anything edits scores; null where they were not asked for, or where several calls made the texts.
    """

    texts: list[str]
    token_ids: list[list[int]]
    truncated: list[bool]
    log_probabilities: list[float] | None = None


def log_probabilities_of(steps: Sequence[Tensor], token_ids: list[list[int]]) -> list[float]:
    """Summed log-probability (nats) of each row's tokens; `steps` holds the logits (rows, vocabulary) of every step."""
    totals = [0.0] * len(token_ids)
    for position, logits in enumerate(steps):
        rows = [row for row, ids in enumerate(token_ids) if position < len(ids)]
        if not rows:
            break
        chosen = torch.tensor([[token_ids[row][position]] for row in rows], device=logits.device)
        taken = logits[rows].double().log_softmax(-1).gather(-1, chosen)
        for row, value in zip(rows, taken[:, 0].tolist(), strict=True):
            totals[row] += value
    return totals


def until_end(row: list[int], ends: set[int]) -> list[int]:
    """Tokens up to and with the end mark."""
    for position, token in enumerate(row):
        if token in ends:
            return row[: position + 1]
    return row
