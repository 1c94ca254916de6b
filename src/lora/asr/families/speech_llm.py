"""Language models that hear: audio stands in the prompt, the transcript is what they go on with. Imports torch.

A label is the text's own tokens and the end mark, behind the very prompt that generation starts with, which the loss
does not count. The library shifts labels inside forward (AutoModelForMultimodalLM): logits[t] predicts labels[t + 1].

Audio is filled up with silence to the grid step before it is heard: all prompts of a batch are then equally long, and
no text depends on its neighbours.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lora.asr.decoding.effective_decode import effective_decode, token_limit
from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel, eos_tokens
from lora.records.base import UserError


class SpeechLlm(SpeechModel):
    """What differs between models is how they are asked: `_request`."""

    auto_class = "AutoModelForMultimodalLM"

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        accepted = inspect.signature(self.model.forward).parameters
        self.input_names = tuple(name for name in accepted if name.startswith("input_") or name == "attention_mask")
        ends = eos_tokens(effective_decode(self.files, {}))
        if not ends:
            raise UserError(f"model {self.files.identity.id}: generation_config.json names no eos_token_id")
        own = self.tokenizer.eos_token_id  # of several end marks the tokenizer's own ends an answer
        self._end = own if own in ends else ends[0]

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        """The processor's prompt and features for utterances of one length."""
        raise NotImplementedError

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return self._request([np.pad(samples, (0, padded - len(samples))) for samples in audio])

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [[*self._text_ids(text), self._end] for text in texts]

    def label_limit(self) -> int | None:
        return None  # prompt and text share a window of many thousand tokens

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        labels = labels.to(self.device)
        prompt = labels.new_full(inputs["input_ids"].shape, IGNORED)
        whole = torch.cat([prompt, labels], dim=1)
        if smoothed:  # the library's smoother does not shift labels of models it does not know as language models
            whole = torch.cat([whole[:, 1:], whole.new_full((len(whole), 1), IGNORED)], dim=1)
        return {**self._continued(inputs, labels), "labels": whole}

    def score(self, batch: dict[str, Tensor]) -> Scored:
        labels = batch["labels"]
        heard = {name: value for name, value in batch.items() if name != "labels"}
        first = int(labels.ne(IGNORED).any(0).long().argmax())  # before it nothing is predicted that counts
        logits = self.model(**heard, logits_to_keep=labels.shape[1] - first + 1).logits
        return Scored(logits[:, :-1], labels[:, first:])

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        targets = targets.to(self.device)
        batch = self._continued(inputs, targets)
        logits: Tensor = self.model(**batch, logits_to_keep=targets.shape[1] + 1).logits
        return logits[:, :-1]

    def _text_ids(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False).input_ids)

    def _continued(self, inputs: dict[str, Tensor], tokens: Tensor) -> dict[str, Tensor]:
        """The prompt with tokens behind it; -100 is padding."""
        counted = tokens.ne(IGNORED)
        filled = tokens.masked_fill(~counted, self._end)  # any token: nothing looks at it
        return inputs | {
            "input_ids": torch.cat([inputs["input_ids"], filled], dim=1),
            "attention_mask": torch.cat([inputs["attention_mask"], counted.to(inputs["attention_mask"].dtype)], dim=1),
        }

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        seconds = self._seconds_heard(inputs)
        return token_limit(effective, seconds)

    def _seconds_heard(self, inputs: dict[str, Tensor]) -> float:
        """Seconds of padded audio in a batch, as its features tell."""
        raise NotImplementedError

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        return row[inputs["input_ids"].shape[1] :]
