"""Granite Speech (IBM): asked in words, by the chat template of its language model.

Features are computed here, as the library's GraniteSpeechFeatureExtractor does, because that needs torchaudio, which
has no build for every torch; a test holds both against each other.

A model's folder may hold a LoRA adapter that belongs to it and is switched on whenever audio is heard: it is merged
into the weights, so that a tuned adapter stands alone on top and can be switched off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lora.asr.decoding.padding import Samples
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.model_files import ModelFiles

AUDIO_TOKEN = "<|audio|>"
PROMPT = "can you transcribe the speech into a written format?"
# Of its model card; without a system prompt some of its templates write today's date.
SYSTEM = (
    "Knowledge Cutoff Date: April 2024.\nToday's Date: April 9, 2025.\n"
    "You are Granite, developed by IBM. You are a helpful AI assistant"
)
STACKED = 2  # mel frames that the encoder hears as one


@dataclass(frozen=True)
class LogMel:
    """Log-mel features in decibels below each utterance's peak, two frames stacked; settings are the folder's own."""

    sampling_rate: int
    n_fft: int
    win_length: int
    hop_length: int
    n_mels: int
    window: int
    downsampled: int

    @classmethod
    def of(cls, settings: dict[str, Any]) -> LogMel:
        mel = {"n_fft": 512, "win_length": 400, "hop_length": 160, "n_mels": 80} | settings.get("melspec_kwargs", {})
        return cls(
            sampling_rate=settings.get("sampling_rate", 16000),
            **{name: mel[name] for name in ("n_fft", "win_length", "hop_length", "n_mels")},
            window=settings.get("projector_window_size", 15),
            downsampled=settings.get("projector_downsample_rate", 5),
        )

    def __call__(self, audio: list[Samples]) -> Tensor:
        """Features (rows, frames / 2, 2 * mels) of utterances of one length."""
        from transformers.audio_utils import mel_filter_bank

        filters = mel_filter_bank(
            self.n_fft // 2 + 1, self.n_mels, 0.0, self.sampling_rate / 2, self.sampling_rate, mel_scale="htk"
        )
        window = torch.hann_window(self.win_length)
        samples = torch.from_numpy(np.stack(audio))
        spectrum = torch.stft(
            samples, self.n_fft, self.hop_length, self.win_length, window, pad_mode="reflect", return_complex=True
        )
        mel = spectrum.abs().square().transpose(-1, -2) @ torch.from_numpy(filters).float()
        decades = mel.clip(min=1e-10).log10()
        features = torch.maximum(decades, decades.amax((-2, -1), keepdim=True) - 8.0) / 4 + 1
        even = features[:, : features.shape[1] // STACKED * STACKED]
        return even.reshape(len(audio), -1, STACKED * self.n_mels)

    def audio_tokens(self, frames: int) -> int:
        """Places in the prompt that so many stacked frames take."""
        return math.ceil(frames / self.window) * (self.window // self.downsampled)


@dataclass(frozen=True)
class Listener:
    """Stands where the library has a processor."""

    tokenizer: Any
    feature_extractor: LogMel


class GraniteSpeech(SpeechLlm):
    """`model.prompt` is the question; the loss is a plain mean over tokens."""

    averages_batches = True

    @classmethod
    def load(cls, files: ModelFiles, folder: Path, **options: Any) -> tuple[Any, Any]:
        from transformers import AutoTokenizer, GraniteSpeechForConditionalGeneration

        own = bool(files.config.get("has_lora_adapter"))
        model = GraniteSpeechForConditionalGeneration.from_pretrained(files.path if own else folder, **options)
        if getattr(model, "_hf_peft_config_loaded", False):
            _merge_own_adapter(model)
        tokenizer = AutoTokenizer.from_pretrained(files.path, trust_remote_code=False, local_files_only=True)
        return model, Listener(tokenizer, LogMel.of(files.features))

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        features = self.feature_extractor(audio)
        places = self.feature_extractor.audio_tokens(features.shape[1])
        question = f"{AUDIO_TOKEN * places}{self.files.prompt or PROMPT}"
        ids = self.tokenizer(self._prompt(question), add_special_tokens=self._template is None).input_ids
        prompts = torch.tensor([ids] * len(audio))
        return {
            "input_ids": prompts,
            "attention_mask": torch.ones_like(prompts),
            "input_features": features,
            "input_features_mask": torch.ones(len(audio), places, dtype=torch.bool),
        }

    @property
    def _template(self) -> str | None:
        template: str | None = self.tokenizer.chat_template
        return template

    def _prompt(self, question: str) -> str:
        if self._template is None:
            return f"USER: {question}\n ASSISTANT:"
        turns = [{"role": "user", "content": question}]
        if "strftime_now" in self._template:
            turns.insert(0, {"role": "system", "content": SYSTEM})
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def _seconds_heard(self, inputs: dict[str, Tensor]) -> float:
        frames = inputs["input_features"].shape[1] * STACKED
        return float(frames * self.feature_extractor.hop_length / self.sampling_rate)


def _merge_own_adapter(model: Any) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge()
        model.set_submodule(name, layer.get_base_layer())
    model._hf_peft_config_loaded = False
    del model.peft_config
