"""Which models are supported: a line for each `model_type`, and what can be said of it without loading it. Torch-free.

A new family is a line here and a class in a file of its own in `lora.asr.families` (see docs/models.md).
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora.asr.families.speech_model import SpeechModel


@dataclass(frozen=True)
class Family:
    """What holds for every model of one `model_type`.

    `made_by`: `file.Class` below `lora.asr.families`. `padding_seconds`: the grid step an utterance is padded to.
    `window_seconds`: longer audio is cut by the feature extractor; null = nothing is cut. `tokens_per_second`: token
    cap of greedy decoding, null = the model's own limit. `decode_keys`: arguments of its `generate` beside those of
    every model. `asked`: what of `model.language` and `model.prompt` it takes. `generates`: it has a `generate` at
    all. `needs`: packages it cannot do without.
    """

    made_by: str
    padding_seconds: float = 1.0
    window_seconds: float | None = None
    tokens_per_second: float | None = None
    decode_keys: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    generates: bool = True
    needs: tuple[str, ...] = ()


# Two to three words a second are three to five tokens; 15 leave room for languages that need more of them.
LLM_TOKENS_PER_SECOND = 15.0
WAV2VEC2 = Family("wav2vec2.Wav2Vec2", generates=False)

FAMILIES: dict[str, Family] = {
    # Encoder and decoder (AutoModelForSpeechSeq2Seq).
    "whisper": Family(
        "whisper.Whisper",
        window_seconds=30.0,
        padding_seconds=30.0,
        decode_keys=(
            "language", "task", "return_timestamps", "condition_on_prev_tokens",
            "compression_ratio_threshold", "logprob_threshold", "no_speech_threshold",
        ),
        asked=("language",),
    ),
    # 6.5 tokens a second is what its authors recommend against repetition loops, for a vocabulary of 32,768.
    "moonshine": Family("moonshine.Moonshine", tokens_per_second=6.5),
    "moonshine_streaming": Family("moonshine.MoonshineStreaming", tokens_per_second=6.5),
    # Language models that hear (AutoModelForMultimodalLM).
    "voxtral": Family(
        "voxtral.Voxtral",
        padding_seconds=30.0,
        tokens_per_second=LLM_TOKENS_PER_SECOND,
        asked=("language",),
        needs=("mistral_common",),
    ),
    "granite_speech": Family(
        "granite_speech.GraniteSpeech",
        tokens_per_second=LLM_TOKENS_PER_SECOND,
        asked=("prompt",),
    ),
    "qwen3_asr": Family(
        "qwen3_asr.Qwen3Asr", tokens_per_second=LLM_TOKENS_PER_SECOND, asked=("language", "prompt")
    ),
    # Connectionist temporal classification (AutoModelForCTC).
    "wav2vec2": WAV2VEC2,
    "wav2vec2-conformer": WAV2VEC2,
    "hubert": WAV2VEC2,
    "wavlm": WAV2VEC2,
    "parakeet_ctc": Family("parakeet.ParakeetCtc", generates=False),
}  # fmt: skip


def class_of(family: Family) -> type[SpeechModel]:
    """The class that implements a family; importing it imports torch."""
    module, _, name = family.made_by.partition(".")
    found: type[SpeechModel] = getattr(importlib.import_module(f"lora.asr.families.{module}"), name)
    return found
