"""Results of `generate` and the settings it runs with. Imports torch."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import StoppingCriteria


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


class TokenScores(StoppingCriteria):
    """Sums the log-probabilities of generated tokens step by step, as a stopping criterion that never stops.

    `generate` can return the logits of all steps instead, but a hypothesis that loops to the token limit then costs
    gigabytes: Whisper tiny has 51,864 logits per token.

    Attributes:
        totals: Log-probability of each row's tokens up to and including EOS (nats, double precision); None before the
            first token.
    """

    def __init__(self, eos: set[int]) -> None:
        self.totals: Tensor | None = None
        self._eos = eos
        self._logits: Tensor | None = None
        self._finished: Tensor | None = None

    def watch(self, model: nn.Module) -> torch.utils.hooks.RemovableHandle:
        """Take the logits of every forward pass of a model, until the handle is removed."""

        def keep(module: nn.Module, arguments: Any, output: Any) -> None:
            self._logits = output.logits[:, -1]

        return model.register_forward_hook(keep)

    def __call__(self, input_ids: Tensor, scores: Any, **unused: Any) -> Tensor:
        """Add the token of each row that was generated last (the last column of `input_ids`)."""
        tokens = input_ids[:, -1:]
        running = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        if self._logits is None:  # an inner model generates, whose logits are not seen
            return running
        values = self._logits.float().double().log_softmax(-1).gather(-1, tokens)[:, 0]
        if self.totals is None or self._finished is None:
            self.totals = torch.zeros_like(values)
            self._finished = running
        self.totals = self.totals + values.masked_fill(self._finished, 0.0)
        self._finished = self._finished | torch.isin(tokens[:, 0], tokens.new_tensor(sorted(self._eos)))
        return running


class NanWatch:
    """Notices logits that are NaN, from which the first token would be taken every time.

    It does not wait for the device at every token, as a condition would.
    """

    def __init__(self, model: nn.Module) -> None:
        self._found: Tensor | None = None
        self._handle = model.register_forward_hook(self._look)

    def _look(self, module: nn.Module, arguments: Any, output: Any) -> None:
        found = output.logits[:, -1].isnan().any()
        self._found = found if self._found is None else self._found | found

    def stop(self) -> bool:
        """Whether there were any; the model is no longer watched."""
        self._handle.remove()
        return self._found is not None and bool(self._found)


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
    # Of the model: a limit by the clock would cut hypotheses by chance, and an utterance has one hypothesis.
    config.max_time = None
    config.num_return_sequences = 1
    for key, value in effective.items():
        if key not in {"tokens_per_second", "prompt"}:
            setattr(config, key, value)
    if limit is not None:
        config.max_new_tokens = limit
        config.max_length = None
    return config
