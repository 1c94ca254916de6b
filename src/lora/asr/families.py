"""Speech models behind one small interface: padded inputs in, texts and tokens out.

Each family knows how its audio is padded and how it generates; `lora.asr.model_loading` makes one of files, by the
configuration's `model_type`. Imports torch.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from lora.asr.decoding import effective_decode, token_limit
from lora.asr.generated import Generated, log_probabilities_of, until_end
from lora.asr.model_files import ModelFiles
from lora.asr.padding import Samples, padded_samples
from lora.records import UserError

PROMPT_TOKENS = 4  # at most, of Whisper: start, language, task, no timestamps


class SpeechModel:
    """A loaded model in evaluation mode with its processor.

    `input_names` are the audio keys its forward takes; `grid_seconds` is the padding step; `family` the
    model type.
    """

    family: ClassVar[str]

    def __init__(self, files: ModelFiles, model: Any, processor: Any, device: str, dtype: torch.dtype) -> None:
        self.files = files
        self.model = model
        self.processor = processor
        self.tokenizer = processor.tokenizer
        self.feature_extractor = processor.feature_extractor
        self.sampling_rate = files.sampling_rate
        self.device = device
        self.dtype = dtype
        self.grid_seconds = files.family.padding_seconds
        accepted = inspect.signature(model.forward).parameters
        self.input_names = tuple(
            name for name in ("input_values", "input_features", "attention_mask") if name in accepted
        )

    def padded_seconds(self, samples: int) -> float:
        """Seconds an utterance of so many samples is padded to."""
        return padded_samples(samples, self.sampling_rate, self.grid_seconds) / self.sampling_rate

    def inputs(self, audio: Sequence[Samples]) -> dict[str, Tensor]:
        """Padded inputs (on the model's device, in its dtype) of utterances that share one grid step.

        Raises ValueError when they do not: their texts would depend on each other.
        """
        steps = {padded_samples(len(samples), self.sampling_rate, self.grid_seconds) for samples in audio}
        if len(steps) != 1:
            raise ValueError(f"a batch holds one padding step, got {sorted(steps)} samples")
        features = self._features([np.asarray(samples, np.float32) for samples in audio], steps.pop())
        return {name: self._place(features[name]) for name in self.input_names if name in features}

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        """Most new tokens for an utterance of so many seconds, null where only the model's own limit is."""
        step = self.padded_seconds(round(seconds * self.sampling_rate))
        return token_limit(self._effective(decode or {}), step)

    def generate(
        self, inputs: dict[str, Tensor], decode: dict[str, Any] | None = None, log_probabilities: bool = False
    ) -> Generated:
        """Decode a batch from `inputs()`. `decode` holds a person's arguments or an effective decode.

        Calls the current `self.model`, so an attached adapter takes part. Restores training mode afterwards.
        """
        effective = self._effective(decode or {})
        limit = self._limit(effective, inputs)
        owner = self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model
        own, training = owner.generation_config, self.model.training
        # Handed over as the model's own settings: `generate` fills an argument of null from those, so
        # that only so a null of a person (suppress nothing) means null.
        owner.generation_config = settled = _settled(own, effective, limit)
        settled.return_dict_in_generate = settled.output_logits = log_probabilities
        self.model.eval()
        try:
            with torch.inference_mode():
                made = self._generate(inputs, effective)
        except (ValueError, TypeError) as error:
            raise UserError(f"decode: {self.family} generate refuses it: {first_line(error)}") from None
        finally:
            owner.generation_config = own
            self.model.train(training)
        generated = self._read(made if isinstance(made, Tensor) else made["sequences"], effective)
        steps = None if isinstance(made, Tensor) else made.get("logits")
        if not steps:
            return generated
        ends = _end_marks(effective)
        new = [until_end(row, ends) for row in made["sequences"][:, -len(steps) :].tolist()]
        return replace(generated, log_probabilities=log_probabilities_of(steps, new))

    # What families differ in.

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        raise NotImplementedError

    def _generate(self, inputs: dict[str, Tensor], effective: dict[str, Any]) -> Any:
        """Sequences, start tokens included; with the logits of every step where the settings ask for them."""
        return self.model.generate(**inputs)

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        """Most new tokens of this batch, null to leave `max_length` as it is."""
        raise NotImplementedError

    def _new_tokens(self, row: list[int]) -> list[int]:
        """A row of `_generate` without what it was started with."""
        return row[1:]

    # Shared.

    def _effective(self, decode: dict[str, Any]) -> dict[str, Any]:
        return decode if "tokens_per_second" in decode else effective_decode(self.files, decode)

    def _place(self, tensor: Tensor) -> Tensor:
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _read(self, sequences: Tensor, effective: dict[str, Any]) -> Generated:
        ends = _end_marks(effective)
        rows = [self._new_tokens(row) for row in sequences.tolist()]
        texts = self.tokenizer.batch_decode(rows, skip_special_tokens=True)
        return Generated(
            texts=[text.strip() for text in texts],
            token_ids=[until_end(row, ends) for row in rows],
            truncated=[not ends & set(row) for row in rows],
        )


class Moonshine(SpeechModel):
    """Raw audio with an attention mask, padded to the grid (its first normalisation sees the padding)."""

    family = "moonshine"

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return dict(
            self.feature_extractor(
                audio,
                sampling_rate=self.sampling_rate,
                padding="max_length",
                max_length=padded,
                return_attention_mask=True,
                return_tensors="pt",
            )
        )

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        return token_limit(effective, inputs["input_values"].shape[1] / self.sampling_rate)


class Whisper(SpeechModel):
    """Log-mel features padded (or cut) to its window of 30 s by the feature extractor."""

    family = "whisper"

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        return dict(
            self.feature_extractor(
                audio, sampling_rate=self.sampling_rate, return_attention_mask=True, return_tensors="pt"
            )
        )

    def _generate(self, inputs: dict[str, Tensor], effective: dict[str, Any]) -> Any:
        asked = {key: effective[key] for key in self.files.family.decode_keys if effective.get(key) is not None}
        # One call a window keeps start and end tokens in the result; timestamps need several calls.
        whole = not asked.get("return_timestamps")
        made = self.model.generate(**inputs, **asked, force_unique_generate_call=whole)
        return made if whole or isinstance(made, Tensor) else made["sequences"]

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        cap = self._effective(decode or {})["max_new_tokens"]
        return None if cap is None else int(cap)

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        # Its generate adds the length of the start tokens to max_length and keeps within the position table.
        return None if effective["max_new_tokens"] is None else int(effective["max_new_tokens"])

    def _new_tokens(self, row: list[int]) -> list[int]:
        start = 0
        special = set(self.tokenizer.all_special_ids) - {self.tokenizer.eos_token_id}
        while start < len(row) and row[start] in special:
            start += 1
        return row[start:]

    def _read(self, sequences: Tensor, effective: dict[str, Any]) -> Generated:
        made = super()._read(sequences, effective)
        if not effective.get("return_timestamps"):
            return made
        # Put together from several calls, a result has lost its end mark: only its length tells whether it was cut.
        limit = effective["max_new_tokens"]
        if limit is None:
            limit = (effective["max_length"] or self.model.config.max_target_positions) - PROMPT_TOKENS
        end = self.tokenizer.eos_token_id
        rows = [[token for token in row if token != end] for row in made.token_ids]
        cut = [len(row) >= limit for row in rows]
        whole = [row if is_cut else [*row, end] for row, is_cut in zip(rows, cut, strict=True)]
        return Generated(texts=made.texts, token_ids=whole, truncated=cut)


LOADERS: dict[str, type[SpeechModel]] = {kind.family: kind for kind in (Moonshine, Whisper)}


def _settled(own: Any, effective: dict[str, Any], limit: int | None) -> Any:
    """A generation configuration in which everything that can change the text is what `effective` says."""
    config = copy.deepcopy(own)
    for key, value in effective.items():
        if key != "tokens_per_second":
            setattr(config, key, value)
    if limit is not None:
        config.max_new_tokens, config.max_length = limit, None
    return config


def _end_marks(effective: dict[str, Any]) -> set[int]:
    ends = effective["eos_token_id"]
    return set(ends if isinstance(ends, list) else [ends])


def first_line(error: Exception) -> str:
    """What a library says first, or the kind of its error where it says nothing."""
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
