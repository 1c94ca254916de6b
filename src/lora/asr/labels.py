"""Training labels: what the trainer's collator builds, and therefore what the label audit audits.

A label is the tokenizer's own output for the text, end mark included if (and only if) the tokenizer writes one. Models
make their decoder inputs by shifting labels right behind the decoder start token, so a leading start token that the
tokenizer wrote is taken away (else it would stand there twice); further prefix tokens (Whisper's language and task)
stay. Shorter rows are filled up with -100, which the loss ignores. Imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from lora.asr.families import SpeechModel
from lora.asr.padding import Samples

IGNORED = -100
WIDTH_STEP = 16  # label widths repeat, which is faster on a CPU


def label_ids(speech: SpeechModel, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text as they are trained on, without padding."""
    start = speech.model.config.decoder_start_token_id
    rows = [speech.tokenizer(text).input_ids for text in texts]
    return [ids[1:] if ids and ids[0] == start else ids for ids in rows]


def build_labels(speech: SpeechModel, texts: Sequence[str]) -> Tensor:
    """Labels (texts, width) on the CPU; width is the next multiple of 16, at most the decoder's limit."""
    rows = label_ids(speech, texts)
    longest = max(map(len, rows), default=1)
    width = -(-max(longest, 1) // WIDTH_STEP) * WIDTH_STEP
    limit = label_limit(speech)
    if limit is not None:
        width = max(longest, min(width, limit))
    labels = torch.full((len(rows), width), IGNORED)
    for row, ids in enumerate(rows):
        labels[row, : len(ids)] = torch.tensor(ids, dtype=torch.long)
    return labels


def unpadded(row: Sequence[int]) -> list[int]:
    """A row of labels without what the loss ignores."""
    return [token for token in row if token != IGNORED]


def label_limit(speech: SpeechModel) -> int | None:
    """Most label tokens the decoder and its tokenizer take, null where neither names a limit."""
    config = speech.model.config
    named = [
        getattr(config, "max_target_positions", None),
        getattr(config, "max_position_embeddings", None),
        speech.tokenizer.model_max_length,
    ]
    # Tokenizers without a limit state an astronomic number.
    limits = [limit for limit in named if isinstance(limit, int) and 0 < limit < 1_000_000]
    return min(limits, default=None)


def long_labels(speech: SpeechModel, texts: Sequence[str]) -> dict[int, int]:
    """Label lengths of the texts whose label the decoder cannot hold, by position."""
    limit = label_limit(speech)
    lengths = enumerate(map(len, label_ids(speech, texts)))
    return {position: length for position, length in lengths if limit is not None and length > limit}


def shift_right(labels: Tensor, config: Any) -> Tensor:
    """Decoder inputs of labels: the start token, then the labels but the last; -100 becomes the padding token."""
    shifted = labels.new_full(labels.shape, config.decoder_start_token_id)
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == IGNORED, config.pad_token_id)


class Collator:
    """Turns rows (`audio` samples, `text`) of one grid step into model inputs with `labels`.

    With label smoothing the trainer keeps the labels from the model, which then needs `decoder_input_ids` beside them.
    """

    def __init__(self, speech: SpeechModel, decoder_inputs: bool = False) -> None:
        self._speech = speech
        self._decoder_inputs = decoder_inputs

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        audio: list[Samples] = [row["audio"] for row in rows]
        batch = self._speech.inputs(audio)
        labels = build_labels(self._speech, [row["text"] for row in rows]).to(self._speech.device)
        batch["labels"] = labels
        if self._decoder_inputs:
            batch["decoder_input_ids"] = shift_right(labels, self._speech.model.config)
        return batch
