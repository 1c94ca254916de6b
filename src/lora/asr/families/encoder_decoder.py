"""Models with an encoder that hears and a decoder that writes (AutoModelForSpeechSeq2Seq).

They shift labels right inside forward, behind the decoder start token: logits[t] predicts labels[t]. Imports torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from lora.asr.families.speech_model import IGNORED, Scored, SpeechModel


class EncoderDecoder(SpeechModel):
    """A label is the tokenizer's own output for a text, end mark included if (and only if) the tokenizer writes one.

    Since forward puts the start token in front, one that the tokenizer wrote is taken away (else it would stand there
    twice); further prefix tokens (Whisper's language and task) stay.
    """

    auto_class = "AutoModelForSpeechSeq2Seq"

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        start = self.base.config.decoder_start_token_id
        rows = [self.tokenizer(text).input_ids for text in texts]
        return [ids[1:] if ids and ids[0] == start else ids for ids in rows]

    def label_limit(self) -> int | None:
        config = self.base.config
        named = [
            getattr(config, "max_target_positions", None),
            getattr(config, "max_position_embeddings", None),
            self.tokenizer.model_max_length,
        ]
        # Tokenizers without a limit state an astronomic number.
        return min((limit for limit in named if isinstance(limit, int) and 0 < limit < 1_000_000), default=None)

    def with_labels(self, inputs: dict[str, Tensor], labels: Tensor, smoothed: bool = False) -> dict[str, Tensor]:
        batch = {**inputs, "labels": labels.to(self.device)}
        if smoothed:  # without labels the model has to be told what its decoder reads
            batch["decoder_input_ids"] = shift_right(batch["labels"], self.base.config)
        return batch

    def score(self, batch: dict[str, Tensor]) -> Scored:
        return Scored(self.model(**batch).logits, batch["labels"])

    def force(self, inputs: dict[str, Tensor], targets: Tensor, decoder_inputs: Tensor) -> Tensor:
        logits: Tensor = self.model(**inputs, decoder_input_ids=decoder_inputs.to(self.device)).logits
        return logits


def shift_right(labels: Tensor, config: Any) -> Tensor:
    """Decoder inputs of labels: the start token, then the labels but the last; -100 becomes the padding token."""
    shifted = labels.new_full(labels.shape, config.decoder_start_token_id)
    shifted[:, 1:] = labels[:, :-1]
    return shifted.masked_fill(shifted == IGNORED, config.pad_token_id)
