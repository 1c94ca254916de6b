"""Encoder-decoder models (AutoModelForSpeechSeq2Seq).

The forward pass shifts labels right, after the decoder start token: logits[t] predicts labels[t]. Imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel


class EncoderDecoder(SpeechModel):
    """A label is the tokenizer's output for a text, including EOS only if the tokenizer writes one.

    Because the forward pass adds the decoder start token, one that the tokenizer wrote is removed (otherwise there
    would be two); other prefix tokens (such as language and task) stay.
    """

    auto_class = "AutoModelForSpeechSeq2Seq"

    @property
    def encoder(self) -> Any:
        return self.base.get_encoder()

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        start = self.base.config.decoder_start_token_id
        rows = [self.tokenizer(text).input_ids for text in texts]
        return [ids[1:] if ids and ids[0] == start else ids for ids in rows]

    def label_limit(self) -> int | None:
        config = self.base.config
        limits = [
            getattr(config, "max_target_positions", None),
            getattr(config, "max_position_embeddings", None),
            self.tokenizer.model_max_length,
        ]
        # Tokenizers without a limit have a huge number here.
        return min((limit for limit in limits if isinstance(limit, int) and 0 < limit < 1_000_000), default=None)

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        batch = {**inputs, "labels": labels.to(self.device)}
        if smoothed:  # the model gets no labels then, so it cannot derive the decoder inputs from them
            batch["decoder_input_ids"] = shift_right(batch["labels"], self.base.config)
        return batch

    def score(self, batch: dict[str, Tensor]) -> Scored:
        return Scored(self.model(**batch).logits, batch["labels"])

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        logits: Tensor = self.model(**inputs, decoder_input_ids=decoder_inputs.to(self.device)).logits
        return logits


def shift_right(labels: Tensor, config: Any) -> Tensor:
    """Decoder inputs for labels: the decoder start token, then all labels but the last; -100 becomes padding."""
    shifted = labels.new_full(labels.shape, config.decoder_start_token_id)
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == IGNORED, config.pad_token_id)
