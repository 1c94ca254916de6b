"""wav2vec 2.0 and related models (MMS, HuBERT, WavLM, Conformer): CTC over frames of raw audio."""

from __future__ import annotations

import torch
from torch import Tensor

from lora.asr.families.ctc import CtcModel


class Wav2Vec2(CtcModel):
    """Uses an attention mask only if the feature extractor returns one: models with group normalisation do without.

    Hypotheses are greedy, so that the language model of a `Wav2Vec2ProcessorWithLM` is not loaded.
    """

    processor_class = "Wav2Vec2Processor"

    def frames(self, inputs: dict[str, Tensor]) -> Tensor:
        values = inputs["input_values"]
        samples = inputs.get("attention_mask", torch.ones_like(values, dtype=torch.long)).sum(-1)
        frames: Tensor = self.base._get_feat_extract_output_lengths(samples).long()
        return frames

    def label_capacity(self, seconds: float) -> int | None:
        samples = torch.tensor([round(seconds * self.sampling_rate)])
        return int(self.base._get_feat_extract_output_lengths(samples)[0])
