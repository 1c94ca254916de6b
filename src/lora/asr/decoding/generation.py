"""Results of `generate` and the settings it runs with. Imports torch."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Generated:
    """Hypotheses of a batch, one entry per utterance in each list.

    Attributes:
        texts: Raw hypotheses.
        token_ids: New tokens up to and including EOS.
        truncated: Whether the token limit ended the hypothesis.
        log_probabilities: Log-probability of `token_ids` in nats, from the model's own logits before any score
            processing. None if not requested, or if the texts were joined from several calls.
    """

    texts: list[str]
    token_ids: list[list[int]]
    truncated: list[bool]
    log_probabilities: list[float] | None = None


def log_probabilities_of(steps: Sequence[Tensor], token_ids: list[list[int]]) -> list[float]:
    """Sum the log-probabilities (nats) of each row's tokens; `steps` has logits (rows, vocabulary) for every step."""
    totals = [0.0] * len(token_ids)
    for position, logits in enumerate(steps):
        rows = [row for row, ids in enumerate(token_ids) if position < len(ids)]
        if not rows:
            break
        chosen = torch.tensor([[token_ids[row][position]] for row in rows], device=logits.device)
        values = logits[rows].double().log_softmax(-1).gather(-1, chosen)
        for row, value in zip(rows, values[:, 0].tolist(), strict=True):
            totals[row] += value
    return totals


def until_eos(row: list[int], eos: set[int]) -> list[int]:
    """Tokens up to and including the first EOS."""
    for position, token in enumerate(row):
        if token in eos:
            return row[: position + 1]
    return row


def eos_token_ids(effective: dict[str, Any]) -> list[int]:
    """EOS tokens of an effective decode, whose `eos_token_id` is a number, a list or None."""
    eos = effective["eos_token_id"]
    if eos is None:
        return []
    return list(eos) if isinstance(eos, list | tuple) else [eos]


def generation_config(own: Any, effective: dict[str, Any], limit: int | None) -> Any:
    """A copy of the model's generation config with every value of the effective decode, and the token limit."""
    config = copy.deepcopy(own)
    for key, value in effective.items():
        if key not in {"tokens_per_second", "prompt"}:
            setattr(config, key, value)
    if limit is not None:
        config.max_new_tokens = limit
        config.max_length = None
    return config
