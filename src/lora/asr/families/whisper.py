"""Whisper (OpenAI) and its relatives: a window of 30 s, language and task as tokens in front of the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

from lora.asr.decoding.generation import Generated
from lora.asr.decoding.padding import Samples
from lora.asr.families.encoder_decoder import EncoderDecoder
from lora.asr.families.speech_model import first_line
from lora.records.base import UserError

PROMPT_TOKENS = 4  # at most: start, language, task, no timestamps
WITHOUT_BLANKS = {"zh", "ja", "th", "lo", "my", "yue"}  # as in OpenAI's tokenizer


class Whisper(EncoderDecoder):
    """Log-mel features padded (or cut) to its window of 30 s by the feature extractor."""

    averages_batches = True

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        if self.files.language is not None:
            self._speak(self.files.language)

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """With the blank in front that the model writes before a text, in languages that part words by blanks."""
        blank = "" if self._language_code() in WITHOUT_BLANKS else " "
        return super().label_ids([f"{blank}{text}" for text in texts])

    def _speak(self, language: str) -> None:
        """Generation and labels get the tokens of one language, which folders from the hub leave open."""
        generation = self.base.generation_config
        if not getattr(generation, "is_multilingual", True):
            raise UserError(f"model.language: {language!r}, but this Whisper hears English only; leave it out")
        try:
            self.tokenizer.set_prefix_tokens(language=language, task="transcribe", predict_timestamps=False)
        except ValueError as error:
            raise UserError(f"model.language: {first_line(error)}") from None
        generation.language = language
        known = getattr(generation, "lang_to_id", None) or {}
        if known and f"<|{self._language_code()}|>" not in known:
            raise UserError(
                f"model.language: this Whisper does not know {language!r}; it knows {', '.join(sorted(known))}"
            )

    def _language_code(self) -> str | None:
        language = getattr(self.base.generation_config, "language", None)
        return None if language is None else TO_LANGUAGE_CODE.get(language.lower(), language.strip("<|>").lower())

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        # One by one: arrays of a whole batch leave the processor's cache, which takes three times as long.
        made = [
            self.feature_extractor(
                one, sampling_rate=self.sampling_rate, return_attention_mask=True, return_tensors="pt"
            )
            for one in audio
        ]
        return {name: torch.cat([each[name] for each in made]) for name in made[0]}

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

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        start = 0
        special = set(self.tokenizer.all_special_ids) - {self.tokenizer.eos_token_id}
        while start < len(row) and row[start] in special:
            start += 1
        return row[start:]

    def _read(self, sequences: Tensor, effective: dict[str, Any], inputs: dict[str, Tensor]) -> Generated:
        made = super()._read(sequences, effective, inputs)
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
