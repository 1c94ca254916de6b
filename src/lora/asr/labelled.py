"""Rows with the texts they are labelled with, and how likely the model finds these labels. Imports torch.

Moonshine and Whisper shift labels right inside forward, so logits[t] predicts labels[t]: shift 0 is right.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lora.asr.families import SpeechModel
from lora.asr.labels import IGNORED, Collator
from lora.asr.training_data import SpeechRows


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
    """Negative log-likelihood in nats a token of labels, teacher-forced; null without a token or where not finite."""
    collator, total, tokens = Collator(speech), 0.0, 0
    for indices in labelled.batches:
        batch = labelled.collated(collator, indices)
        with torch.inference_mode():
            logits = speech.model(**batch).logits
        loss, count = cross_entropy(logits, batch["labels"])
        total, tokens = total + loss, tokens + count
    return finite(total / tokens) if tokens else None


def cross_entropy(logits: Tensor, labels: Tensor, shift: int = 0, smoothing: float = 0.0) -> tuple[float, int]:
    """By hand: sum of -log p(labels[t + shift] | logits[t]) over labels that count, and their number.

    With smoothing e it is (1 - e) of that and e of the mean over the vocabulary.
    """
    width = labels.shape[1] - shift
    log_probability = logits[:, :width].double().log_softmax(-1)
    targets = labels[:, shift:]
    counted = targets.ne(IGNORED)
    loss = -log_probability.gather(-1, targets.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * log_probability.mean(-1)
    return float((loss * counted).sum()), int(counted.sum())


def finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
