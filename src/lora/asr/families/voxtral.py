"""Voxtral (Mistral): prompted with mistral-common's transcription request; audio in chunks of 30 s."""

from __future__ import annotations

from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import first_line
from lora.records.base import UserError

SECONDS_PER_CHUNK = 30.0


class Voxtral(SpeechLlm):
    """Detects the language itself if `model.language` is not set."""

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        try:
            request = self.processor.apply_transcription_request(
                audio,
                model_id=self.files.identity.id,
                language=self.files.language,
                sampling_rate=self.sampling_rate,
                format=["WAV"] * len(audio),
            )
        except ValueError as error:
            raise UserError(f"model.language is {self.files.language!r}: {first_line(error)}") from None
        return dict(request)

    def _input_seconds(self, inputs: dict[str, Tensor]) -> float:
        return SECONDS_PER_CHUNK * len(inputs["input_features"]) / len(inputs["input_ids"])
