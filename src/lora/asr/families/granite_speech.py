"""Granite Speech (IBM): prompted with a question, in the chat template of its language model.

Features are computed here, as GraniteSpeechFeatureExtractor of transformers does, because that one needs torchaudio,
which is not built for every version of torch; a test compares both.

A model folder may contain a LoRA adapter that is part of the model and active whenever the input has audio. It is
merged into the weights, so that a tuned adapter is the only one and can be disabled.
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
from lora.asr.families.chat_template import require_usable_template
from lora.asr.families.complete_weights import complete_model
from lora.asr.families.speech_llm import SpeechLlm
from lora.asr.model_files import ModelFiles

AUDIO_TOKEN = "<|audio|>"
PROMPT = "can you transcribe the speech into a written format?"
# From the model card; without a system prompt some of its templates insert today's date.
SYSTEM = (
    "Knowledge Cutoff Date: April 2024.\nToday's Date: April 9, 2025.\n"
    "You are Granite, developed by IBM. You are a helpful AI assistant"
)
STACKED = 2  # mel frames per encoder frame


@dataclass(frozen=True)
class LogMel:
    """Log-mel features relative to each utterance's peak, two frames stacked, with the settings of the model folder."""

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
        """Features (rows, frames / 2, 2 * mels) of utterances of equal length."""
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
        """Number of audio tokens in the prompt for this number of stacked frames."""
        return math.ceil(frames / self.window) * (self.window // self.downsampled)


@dataclass(frozen=True)
class GraniteProcessor:
    """Tokenizer and features in place of the processor of transformers."""

    tokenizer: Any
    feature_extractor: LogMel


class GraniteSpeech(SpeechLlm):
    """`model.prompt` is the question; the model's loss is a plain mean over tokens."""

    averages_batches = True

    @property
    def encoder(self) -> Any:
        return self.base.get_encoder()

    @classmethod
    def load(cls, files: ModelFiles, folder: Path, **options: Any) -> tuple[Any, Any]:
        from transformers import AutoTokenizer, GraniteSpeechForConditionalGeneration

        has_adapter = bool(files.config.get("has_lora_adapter"))
        model = complete_model(GraniteSpeechForConditionalGeneration, files.path if has_adapter else folder, **options)
        if getattr(model, "_hf_peft_config_loaded", False):
            _merge_own_adapter(model)
        tokenizer = AutoTokenizer.from_pretrained(files.processor_path, trust_remote_code=False, local_files_only=True)
        return model, GraniteProcessor(tokenizer, LogMel.of(files.features))

    def require_usable_prompt(self) -> None:
        if self._template is not None:
            turns = self._turns(AUDIO_TOKEN)
            require_usable_template(
                self.files, self._template, turns, lambda: self._prompt(AUDIO_TOKEN), audio_token=AUDIO_TOKEN
            )

    def _request(self, audio: list[Samples]) -> dict[str, Tensor]:
        features = self.feature_extractor(audio)
        audio_tokens = self.feature_extractor.audio_tokens(features.shape[1])
        question = f"{AUDIO_TOKEN * audio_tokens}{self.files.prompt or PROMPT}"
        ids = self.tokenizer(self._prompt(question), add_special_tokens=self._template is None).input_ids
        prompts = torch.tensor([ids] * len(audio))
        return {
            "input_ids": prompts,
            "attention_mask": torch.ones_like(prompts),
            "input_features": features,
            "input_features_mask": torch.ones(len(audio), audio_tokens, dtype=torch.bool),
        }

    @property
    def _template(self) -> str | None:
        template: str | None = self.tokenizer.chat_template
        return template

    def _prompt(self, question: str) -> str:
        if self._template is None:
            return f"USER: {question}\n ASSISTANT:"
        turns = self._turns(question)
        return str(self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True))

    def _turns(self, question: str) -> list[dict[str, str]]:
        turns = [{"role": "user", "content": question}]
        if "strftime_now" in str(self._template):
            turns.insert(0, {"role": "system", "content": SYSTEM})
        return turns

    def _input_seconds(self, inputs: dict[str, Tensor]) -> float:
        frames = inputs["input_features"].shape[1] * STACKED
        return float(frames * self.feature_extractor.hop_length / self.sampling_rate)


def _merge_own_adapter(model: Any) -> None:
    """Merge the adapter that is part of the model into its weights and remove peft's wrappers."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [(name, layer) for name, layer in model.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in layers:
        layer.merge()
        model.set_submodule(name, layer.get_base_layer())
    model._hf_peft_config_loaded = False
    del model.peft_config
