"""Training labels, as the trainer's collator builds them and as the label audit examines them.

The family decides what a label consists of (`SpeechModel.label_ids`). Shorter rows are padded with -100, which the loss
ignores. Imports torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_model import IGNORED, SpeechModel
from lora.asr.model_json import UnusableModel
from lora.asr.training.data import SpeechRows

WIDTH_STEP = 16  # label widths repeat, which is faster on a CPU


def label_ids(speech: SpeechModel, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text as they are trained on, without padding.

    Raises:
        UnusableModel: The model has no such token; looking it up would fail without a word about the cause.
    """
    rows = speech.label_ids(texts)
    size = speech.base.config.get_text_config().vocab_size
    for text, ids in zip(texts, rows, strict=True):
        wrong = [token for token in ids if type(token) is not int or token >= size]
        if wrong:
            raise UnusableModel(
                f"model {speech.files.identity.id}: the label of the text {text!r:.80} has the token {wrong[0]!r}, but "
                f"the model has the tokens 0 to {size - 1}. Copy the tokenizer's files from the base model, or save "
                "the model again after `resize_token_embeddings`."
            )
    return rows


def build_labels(speech: SpeechModel, texts: Sequence[str]) -> Tensor:
    """Labels (texts, width) on the CPU; width is the next multiple of 16, at most the decoder's limit."""
    rows = label_ids(speech, texts)
    longest = max(map(len, rows), default=1)
    width = -(-max(longest, 1) // WIDTH_STEP) * WIDTH_STEP
    limit = speech.label_limit()
    if limit is not None:
        width = max(longest, min(width, limit))
    return padded(rows, width)


def padded(rows: Sequence[Sequence[int]], width: int) -> Tensor:
    """Rows of token ids as one tensor (rows, width), padded with -100."""
    labels = torch.full((len(rows), width), IGNORED)
    for row, ids in enumerate(rows):
        labels[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
    return labels


def unpadded(row: Sequence[int]) -> list[int]:
    """A row of labels without padding."""
    return [token for token in row if token != IGNORED]


def long_labels(speech: SpeechModel, texts: Sequence[str], seconds: Sequence[float]) -> dict[int, str]:
    """Find labels that are too long for the decoder or for the frames of their audio.

    Args:
        speech: The model.
        texts: Transcripts.
        seconds: Duration of each utterance.

    Returns:
        A sentence for each label that is too long, by its position in `texts`.
    """
    reasons = {}
    for position, (ids, duration) in enumerate(zip(label_ids(speech, texts), seconds, strict=True)):
        length = speech.label_length(ids)
        capacity = speech.label_capacity(duration)
        if capacity is not None and length > capacity:
            limit = "the decoder takes at most" if speech.teacher_forced else "its audio has frames for"
            reasons[position] = f"its label has {length} tokens, {limit} {capacity}"
    return reasons


class Collator:
    """Turns rows (`audio` samples, `text`) of one grid step into model inputs with `labels`.

    `smoothed`: for the trainer's label smoothing (see `SpeechModel.with_labels`).
    """

    def __init__(self, speech: SpeechModel, smoothed: bool = False) -> None:
        self._speech = speech
        self._smoothed = smoothed

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        audio: list[Samples] = [row["audio"] for row in rows]
        inputs = self._speech.inputs(audio)
        labels = build_labels(self._speech, [row["text"] for row in rows])
        return self._speech.with_labels(inputs, labels, self._smoothed)


@dataclass(frozen=True)
class Labelled:
    """Rows with the texts of their labels, and batches of row numbers of one padding step each."""

    rows: SpeechRows
    texts: list[str]
    batches: list[list[int]]

    def with_texts(self, texts: Sequence[str]) -> Labelled:
        """The same rows with other texts."""
        return Labelled(self.rows, list(texts), self.batches)

    def collated(self, collator: Collator, indices: list[int]) -> dict[str, Tensor]:
        """A training batch of the rows with these numbers."""
        return collator([{"audio": self.rows[i]["audio"], "text": self.texts[i]} for i in indices])


def mean_nll(speech: SpeechModel, labelled: Labelled) -> float | None:
    """Negative log-likelihood of labels in nats per token; None without tokens or if it is not finite."""
    collator = Collator(speech)
    total = 0.0
    tokens = 0
    for indices in labelled.batches:
        with torch.inference_mode():
            loss, count = speech.summed_loss(labelled.collated(collator, indices))
        total += loss
        tokens += count
    return finite(total / tokens) if tokens else None


def finite(value: float) -> float | None:
    """The value, or None if it is infinite or not a number."""
    return value if math.isfinite(value) else None
