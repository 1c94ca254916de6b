"""Qwen3-ASR: asked by its chat template, with the language as the first words of its own answer."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import first_line
from lora.records.base import UserError

FRAMES_PER_SECOND = 100


class Qwen3Asr(SpeechLlm):
    """`model.prompt` is the system prompt (words that are likely to come up)."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.files.language is None:
            # Left open, the answer begins with the language, and a label that is the text alone would unteach that.
            raise UserError("model.language: Qwen3-ASR needs the language of the speech, as `language: English`")

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        try:
            asked = self.processor.apply_transcription_request(
                audio, language=self.files.language, prompt=self.files.prompt
            )
        except ValueError as error:
            raise UserError(f"model.language: {first_line(error)}") from None
        return dict(asked)

    def _seconds_heard(self, inputs: dict[str, Tensor]) -> float:
        return inputs["input_features"].shape[-1] / FRAMES_PER_SECOND
