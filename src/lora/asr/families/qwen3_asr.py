"""Qwen3-ASR: prompted with its chat template, and with the language as the first words of its answer."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.chat_template import require_usable_template
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.families.speech_model import first_line
from lora.records.base import UserError

FRAMES_PER_SECOND = 100


class Qwen3Asr(SpeechLlm):
    """`model.prompt` is the system prompt (context, such as words that are likely to occur)."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.files.language is None:
            # Without a language the answer begins with it, and labels of the text alone would train that away.
            raise UserError(
                "model.language is missing: Qwen3-ASR needs the spoken language, such as `language: English`"
            )

    def require_usable_prompt(self) -> None:
        # As in `apply_transcription_request` of transformers.
        turns: list[dict[str, Any]] = [
            {"role": "user", "content": [{"type": "audio", "audio": "utterance.wav"}]},
            {"role": "assistant", "content": [{"type": "text", "text": f"language {self.files.language}<asr_text>"}]},
        ]
        if self.files.prompt is not None:
            turns.insert(0, {"role": "system", "content": [{"type": "text", "text": self.files.prompt}]})
        require_usable_template(
            self.files,
            self.processor.chat_template,
            turns,
            lambda: str(self.processor.apply_chat_template(turns, tokenize=False, continue_final_message=True)),
            audio_token=self.processor.audio_token,
        )

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        try:
            request = self.processor.apply_transcription_request(
                audio, language=self.files.language, prompt=self.files.prompt
            )
        except ValueError as error:
            raise UserError(f"model.language is {self.files.language!r}: {first_line(error)}") from None
        return dict(request)

    def _input_seconds(self, inputs: dict[str, Tensor]) -> float:
        return inputs["input_features"].shape[-1] / FRAMES_PER_SECOND
