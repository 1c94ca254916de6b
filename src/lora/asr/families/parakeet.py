"""Parakeet-CTC (NVIDIA): a Fast Conformer over log-mel features, with batch normalisation."""

from __future__ import annotations

import torch
from torch import Tensor

from lora.asr.families.ctc import CtcModel


class ParakeetCtc(CtcModel):
    def frames(self, inputs: dict[str, Tensor]) -> Tensor:
        frames: Tensor = self.base._get_subsampling_output_length(inputs["attention_mask"].sum(-1)).long()
        return frames

    def label_capacity(self, seconds: float) -> int | None:
        features = torch.tensor([round(seconds * self.sampling_rate) // self.feature_extractor.hop_length])
        return int(self.base._get_subsampling_output_length(features)[0])
