"""Supported model families: one `Family` per `model_type`, with all that is known without loading a model. Torch-free.

To add a family, add a line here and a class in a file of its own in `lora.asr.families` (see docs/models.md).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel

# Last names of attention projections and MLP layers: encoder-decoders, language models, conformers, wav2vec 2.0.
ATTENTION_AND_MLP = (
    "q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "fc1", "fc2", "gate_proj", "up_proj", "down_proj",
    "to_q", "to_kv", "to_out", "linear1", "linear2", "linear_q", "linear_k", "linear_v", "linear_out",
    "intermediate_dense", "output_dense",
)  # fmt: skip


@dataclass(frozen=True)
class Family:
    """Properties of all models of one `model_type`.

    Attributes:
        implementation: `file.Class` in `lora.asr.families`.
        padding_seconds: Step of the grid that audio is padded to.
        window_seconds: Input window, unless the feature extractor of a model has another; longer audio is cut. None: no
            limit.
        tokens_per_second: Token limit of greedy decoding per second of audio. None: only the model's own limit.
        decode_keys: Arguments of its `generate` in addition to those that every model takes.
        model_keys: Which of `model.language` and `model.prompt` it takes.
        generates: Whether it has `generate` (CTC models have not).
        packages: Python packages that it needs in addition to this project's requirements.
        target_layers: Last names of the linear layers that `target_modules: auto` adapts.
    """

    implementation: str
    padding_seconds: float = 1.0
    window_seconds: float | None = None
    tokens_per_second: float | None = None
    decode_keys: tuple[str, ...] = ()
    model_keys: tuple[str, ...] = ()
    generates: bool = True
    packages: tuple[str, ...] = ()
    target_layers: tuple[str, ...] = ATTENTION_AND_MLP


# Two to three words per second are three to five tokens; 15 leaves room for languages that need more of them.
LLM_TOKENS_PER_SECOND = 15.0
WAV2VEC2 = Family("wav2vec2.Wav2Vec2", generates=False)

FAMILIES: dict[str, Family] = {
    # Encoder-decoder models (AutoModelForSpeechSeq2Seq).
    "whisper": Family(
        "whisper.Whisper",
        window_seconds=30.0,
        padding_seconds=30.0,
        decode_keys=(
            "language",
            "task",
            "return_timestamps",
            "condition_on_prev_tokens",
            "compression_ratio_threshold",
            "logprob_threshold",
            "no_speech_threshold",
        ),
        model_keys=("language",),
    ),
    # Its authors recommend at most 6.5 tokens per second against repetition loops, for a vocabulary of 32,768.
    "moonshine": Family("moonshine.Moonshine", tokens_per_second=6.5),
    "moonshine_streaming": Family("moonshine.MoonshineStreaming", tokens_per_second=6.5),
    # Speech language models (AutoModelForMultimodalLM).
    "voxtral": Family(
        "voxtral.Voxtral",
        padding_seconds=30.0,
        tokens_per_second=LLM_TOKENS_PER_SECOND,
        model_keys=("language",),
        packages=("mistral_common",),
    ),
    "granite_speech": Family(
        "granite_speech.GraniteSpeech",
        tokens_per_second=LLM_TOKENS_PER_SECOND,
        model_keys=("prompt",),
    ),
    "qwen3_asr": Family(
        "qwen3_asr.Qwen3Asr", tokens_per_second=LLM_TOKENS_PER_SECOND, model_keys=("language", "prompt")
    ),
    # Connectionist temporal classification (AutoModelForCTC).
    "wav2vec2": WAV2VEC2,
    "wav2vec2-conformer": WAV2VEC2,
    "hubert": WAV2VEC2,
    # Its attention reads the weights of its projections and never calls them: an adapter there would have no effect.
    "wavlm": replace(WAV2VEC2, target_layers=("intermediate_dense", "output_dense")),
    "parakeet_ctc": Family("parakeet.ParakeetCtc", generates=False),
}


def class_of(family: Family) -> type[SpeechModel]:
    """Import the class that implements a family. Imports torch."""
    module, _, name = family.implementation.partition(".")
    implementation: type[SpeechModel] = getattr(importlib.import_module(f"lora.asr.families.{module}"), name)
    return implementation
