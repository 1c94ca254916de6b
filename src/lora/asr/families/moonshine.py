"""Moonshine and Moonshine Streaming (Useful Sensors): raw audio, and a token limit per second against loops."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lora.asr.decoding.effective_decode import token_limit
from lora.asr.decoding.padding import Samples
from lora.asr.families.encoder_decoder import EncoderDecoder


class Moonshine(EncoderDecoder):
    """Takes raw audio with an attention mask, padded to the grid (its first normalisation includes the padding)."""

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return dict(
            self.feature_extractor(
                audio,
                sampling_rate=self.sampling_rate,
                padding="max_length",
                max_length=padded,
                return_attention_mask=True,
                return_tensors="pt",
            )
        )

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        return token_limit(effective, inputs["input_values"].shape[1] / self.sampling_rate)


class MoonshineStreaming(Moonshine):
    """Frames of 5 ms with sliding-window attention; the grid step is an integer number of frames."""
