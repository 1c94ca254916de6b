"""Speech language models (AutoModelForMultimodalLM): audio is part of the prompt, the transcript continues it.

A label is the text's tokens and EOS after the same prompt that generation starts with, which the loss ignores. The
forward pass of transformers shifts labels: logits[t] predicts labels[t + 1].

Audio is padded with silence to the grid step before features are computed: all prompts of a batch then have the same
length, and no hypothesis depends on other utterances in the batch. Imports torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lora.asr.decoding.effective_decode import effective_decode, token_limit
from lora.asr.decoding.generation import eos_token_ids
from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel
from lora.records.base import UserError


class SpeechLlm(SpeechModel):
    """Models differ in how they are prompted: subclasses implement `_request` and `_input_seconds`."""

    auto_class = "AutoModelForMultimodalLM"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        accepted = inspect.signature(self.model.forward).parameters
        self.input_names = tuple(name for name in accepted if name.startswith("input_") or name == "attention_mask")
        eos = eos_token_ids(effective_decode(self.files, {}))
        if not eos:
            raise UserError(f"model {self.files.identity.id}: generation_config.json has no eos_token_id. Add it.")
        # Of several EOS tokens the tokenizer's own ends an answer.
        self._eos = self.tokenizer.eos_token_id if self.tokenizer.eos_token_id in eos else eos[0]

    @property
    def encoder(self) -> Any:
        return self.base.get_encoder(modality="audio")

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        """Prompt (`input_ids`, `attention_mask`) and features for utterances of equal length."""
        raise NotImplementedError

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return self._request([np.pad(samples, (0, padded - len(samples))) for samples in audio])

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [[*self._text_ids(text), self._eos] for text in texts]

    def label_limit(self) -> int | None:
        return None  # prompt and text share a context of many thousand tokens

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        labels = labels.to(self.device)
        prompt = labels.new_full(inputs["input_ids"].shape, IGNORED)
        with_prompt = torch.cat([prompt, labels], dim=1)
        if smoothed:  # transformers' label smoother does not shift labels of models it does not know as language models
            with_prompt = torch.cat([with_prompt[:, 1:], with_prompt.new_full((len(with_prompt), 1), IGNORED)], dim=1)
        return {**self._continued(inputs, labels), "labels": with_prompt}

    def score(self, batch: dict[str, Tensor]) -> Scored:
        labels = batch["labels"]
        inputs = {name: value for name, value in batch.items() if name != "labels"}
        first = int(labels.ne(IGNORED).any(0).long().argmax())  # first position that counts in any row
        logits = self.model(**inputs, logits_to_keep=labels.shape[1] - first + 1).logits
        return Scored(logits[:, :-1], labels[:, first:])

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        targets = targets.to(self.device)
        batch = self._continued(inputs, targets)
        logits: Tensor = self.model(**batch, logits_to_keep=targets.shape[1] + 1).logits
        return logits[:, :-1]

    def _text_ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _continued(self, inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
        """The prompt followed by tokens (rows, width); -100 is padding."""
        counted = tokens.ne(IGNORED)
        filled = tokens.masked_fill(~counted, self._eos)  # any token would do: the attention mask excludes it
        return inputs | {
            "input_ids": torch.cat([inputs["input_ids"], filled], dim=1),
            "attention_mask": torch.cat([inputs["attention_mask"], counted.to(inputs["attention_mask"].dtype)], dim=1),
        }

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        return token_limit(effective, self._input_seconds(inputs))

    def _input_seconds(self, inputs: dict[str, Tensor]) -> float:
        """Seconds of padded audio per utterance of a batch, from the shape of its features."""
        raise NotImplementedError

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        return row[inputs["input_ids"].shape[1] :]
