"""Voxtral (Mistral): asked by the transcription request of mistral-common; audio in pieces of 30 s."""

from __future__ import annotations

from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import first_line
from lora.records.base import UserError

SECONDS_PER_PIECE = 30.0


class Voxtral(SpeechLlm):
    """Without `model.language` it listens for the language itself."""

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        try:
            asked = self.processor.apply_transcription_request(
                audio,
                model_id=self.files.identity.id,
                language=self.files.language,
                sampling_rate=self.sampling_rate,
                format=["WAV"] * len(audio),
            )
        except ValueError as error:
            raise UserError(f"model.language: {self.files.language!r} is refused: {first_line(error)}") from None
        return dict(asked)

    def _seconds_heard(self, inputs: dict[str, Tensor]) -> float:
        return SECONDS_PER_PIECE * len(inputs["input_features"]) / len(inputs["input_ids"])
