"""Rows with the texts they are labelled with, and how likely the model finds these labels. Imports torch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lora.asr.families.speech_model import SpeechModel
from lora.asr.labels.build import Collator
from lora.asr.training.data import SpeechRows


@dataclass(frozen=True)
class Labelled:
    """Rows with the texts they are labelled with, in batches of one padding step."""

    rows: SpeechRows
    texts: list[str]
    batches: list[list[int]]

    def with_texts(self, texts: Sequence[str]) -> Labelled:
        return Labelled(self.rows, list(texts), self.batches)

    def collated(self, collator: Collator, indices: list[int]) -> dict[str, Tensor]:
        return collator([{"audio": self.rows[i]["audio"], "text": self.texts[i]} for i in indices])


def mean_nll(speech: SpeechModel, labelled: Labelled) -> float | None:
    """Negative log-likelihood in nats a token of labels; null without a token or where not finite."""
    collator, total, tokens = Collator(speech), 0.0, 0
    for indices in labelled.batches:
        with torch.inference_mode():
            loss, count = speech.summed_loss(labelled.collated(collator, indices))
        total, tokens = total + loss, tokens + count
    return finite(total / tokens) if tokens else None


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
