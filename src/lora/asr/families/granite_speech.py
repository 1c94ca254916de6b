"""Granite Speech (IBM): asked in words, by the chat template of its language model.

Its folder may hold a LoRA adapter that belongs to the model and is switched on whenever audio is heard: it is merged
into the weights, so that a tuned adapter stands alone on top and can be switched off.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.padding import Samples

PROMPT = "can you transcribe the speech into a written format?"
# Of its model card; without a system prompt some of its templates write today's date.
SYSTEM = (
    "Knowledge Cutoff Date: April 2024.\nToday's Date: April 9, 2025.\n"
    "You are Granite, developed by IBM. You are a helpful AI assistant"
)
STACKED_FRAMES_PER_SECOND = 50


class GraniteSpeech(SpeechLlm):
    """`model.prompt` is the question; the loss is a plain mean over tokens."""

    averages_batches = True

    @classmethod
    def load(cls, files: Any, folder: Path, **options: Any) -> tuple[Any, Any]:
        _import_torchaudio()
        own = bool(files.config.get("has_lora_adapter"))
        model, processor = super().load(files, files.path if own else folder, **options)
        if getattr(model, "_hf_peft_config_loaded", False):
            _merge_own_adapter(model)
        return model, processor

    @classmethod
    def features_of(cls, processor: Any) -> Any:
        return processor.audio_processor

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        question = f"{self.processor.audio_token}{self.files.prompt or PROMPT}"
        asked = self.processor(text=[self._prompt(question)] * len(audio), audio=audio, return_tensors="pt")
        return dict(asked)

    def _prompt(self, question: str) -> str:
        template = self.tokenizer.chat_template or self.processor.chat_template
        if template is None:
            return f"USER: {question}\n ASSISTANT:"
        turns = [{"role": "user", "content": question}]
        if "strftime_now" in template:
            turns.insert(0, {"role": "system", "content": SYSTEM})
        return str(
            self.tokenizer.apply_chat_template(
                turns, chat_template=template, tokenize=False, add_generation_prompt=True
            )
        )

    def _seconds_heard(self, inputs: dict[str, Tensor]) -> float:
        return inputs["input_features"].shape[1] / STACKED_FRAMES_PER_SECOND


def _import_torchaudio() -> None:
    """The feature extractor wants torchaudio, of which it uses filters in plain torch. Its compiled part, which they do
    not need, cannot be loaded where it was built for another torch (one with CUDA).
    """
    try:
        import torchaudio
    except OSError:
        sys.modules["torchaudio._extension.utils"]._load_lib = lambda name: False  # type: ignore[attr-defined]
        import torchaudio  # noqa: F401


def _merge_own_adapter(model: Any) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge()
        model.set_submodule(name, layer.get_base_layer())
    model._hf_peft_config_loaded = False
    del model.peft_config
