"""Whisper (OpenAI) and models derived from it: a window of mostly 30 s, language and task as tokens before the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteriaList
from transformers.models.whisper.tokenization_whisper import TO_LANGUAGE_CODE

from lora.asr.decoding.generation import Generated, TokenScores
from lora.asr.decoding.padding import Samples
from lora.asr.families.encoder_decoder import EncoderDecoder
from lora.asr.families.speech_model import first_line
from lora.asr.model_files import GENERATION
from lora.asr.model_json import UnusableModel
from lora.records.base import UserError

PREFIX_TOKENS = 4  # at most: decoder start, language, task, no timestamps
WITHOUT_SPACES = {"zh", "ja", "th", "lo", "my", "yue"}  # languages that OpenAI's tokenizer does not split at spaces


class Whisper(EncoderDecoder):
    """Takes log-mel features, which the feature extractor pads or cuts to its window."""

    averages_batches = True
    encoder_ignores = ("attention_mask",)

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        for key in ("lang_to_id", "task_to_id"):
            table = self.files.generation.get(key)
            if table is not None and not (isinstance(table, dict) and all(type(t) is int for t in table.values())):
                raise UnusableModel(
                    f"model {self.files.identity.id}: {key} in {GENERATION} is {table!r:.40}; expected the token id of "
                    f"each name. Copy {GENERATION} from the base model."
                )
        if self.files.language is not None:
            self._set_language(self.files.language)

    def label_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """As in the base class, with the leading space that the model writes in languages with spaces."""
        space = "" if self._language_code() in WITHOUT_SPACES else " "
        return super().label_ids([f"{space}{text}" for text in texts])

    def forced_prefix(self, decode: dict[str, Any]) -> list[int] | None:
        """Tokens for language, task and no timestamps; None if the model detects the language first."""
        generation = self.base.generation_config
        language, task = (decode.get(name) or getattr(generation, name, None) for name in ("language", "task"))
        languages, tasks = (getattr(generation, name, None) or {} for name in ("lang_to_id", "task_to_id"))
        prefix: list[int] = []
        if languages and getattr(generation, "is_multilingual", False):
            if language is None:
                return None
            prefix.append(_language_token(str(language), languages))
            prefix.append(tasks.get(task or "transcribe", -1))
        timestamps = decode.get("return_timestamps", getattr(generation, "return_timestamps", False))
        if not timestamps and getattr(generation, "no_timestamps_token_id", None) is not None:
            prefix.append(generation.no_timestamps_token_id)
        return prefix

    def starts_with_prefix(self, label: list[int], decode: dict[str, Any]) -> bool | None:
        """If the model detects the language, a label may start with the token of any language."""
        prefix = self.forced_prefix(decode)
        if prefix is not None:
            return label[: len(prefix)] == prefix
        languages = set((getattr(self.base.generation_config, "lang_to_id", None) or {}).values())
        return bool(label) and label[0] in languages if languages else None

    def _set_language(self, language: str) -> None:
        """Set the language of generation and labels, which folders from the hub leave open."""
        generation = self.base.generation_config
        if not getattr(generation, "is_multilingual", True):
            raise UserError(f"model.language is {language!r}, but this Whisper model is English-only. Remove the key.")
        if not hasattr(self.tokenizer, "set_prefix_tokens"):
            kind = type(self.tokenizer).__name__
            raise UnusableModel(
                f"model {self.files.identity.id}: its tokenizer is a {kind} by tokenizer_class in "
                "tokenizer_config.json; expected a WhisperTokenizer. Copy the tokenizer's files from the base model."
            )
        try:
            self.tokenizer.set_prefix_tokens(language=language, task="transcribe", predict_timestamps=False)
        except ValueError as error:
            raise UserError(f"model.language is {language!r}: {first_line(error)}") from None
        generation.language = language
        known = getattr(generation, "lang_to_id", None) or {}
        if known and f"<|{self._language_code()}|>" not in known:
            raise UserError(
                f"model.language is {language!r}, which this Whisper model does not know; "
                f"expected one of {', '.join(sorted(known))}"
            )

    def _language_code(self) -> str | None:
        language = getattr(self.base.generation_config, "language", None)
        return None if language is None else TO_LANGUAGE_CODE.get(language.lower(), language.strip("<|>").lower())

    def _features(self, audio: list[Samples], padded: int) -> dict[str, Tensor]:
        # One utterance at a time: a complete batch does not fit into the CPU's cache and takes three times as long.
        features = [
            self.feature_extractor(
                samples, sampling_rate=self.sampling_rate, return_attention_mask=True, return_tensors="pt"
            )
            for samples in audio
        ]
        return {name: torch.cat([each[name] for each in features]) for name in features[0]}

    def _generate(self, inputs: dict[str, Tensor], effective: dict[str, Any], criteria: list[TokenScores]) -> Tensor:
        arguments = {key: effective[key] for key in self.files.family.decode_keys if effective.get(key) is not None}
        # A single call per window keeps BOS and EOS in the result. Timestamps need several calls, whose tokens do not
        # add up to one hypothesis.
        single_call = not arguments.get("return_timestamps")
        if single_call:
            arguments["stopping_criteria"] = StoppingCriteriaList(criteria)
        output = self.model.generate(**inputs, **arguments, force_unique_generate_call=single_call)
        return output if isinstance(output, Tensor) else output["sequences"]

    def token_limit(self, seconds: float, decode: dict[str, Any] | None = None) -> int | None:
        limit = self._effective(decode or {})["max_new_tokens"]
        return None if limit is None else int(limit)

    def _limit(self, effective: dict[str, Any], inputs: dict[str, Tensor]) -> int | None:
        # Its `generate` adds the length of the prefix to max_length and stays within the position table.
        return None if effective["max_new_tokens"] is None else int(effective["max_new_tokens"])

    def _new_tokens(self, row: list[int], inputs: dict[str, Tensor]) -> list[int]:
        start = 0
        special = set(self.tokenizer.all_special_ids) | self._prefix_ids()
        special -= {self.tokenizer.eos_token_id}
        while start < len(row) and row[start] in special:
            start += 1
        return row[start:]

    def _prefix_ids(self) -> set[int]:
        """Tokens that `generate` puts before the text, which a tokenizer need not know as special."""
        generation = self.base.generation_config
        tokens = [getattr(generation, name, None) for name in ("decoder_start_token_id", "no_timestamps_token_id")]
        for table in (getattr(generation, name, None) for name in ("lang_to_id", "task_to_id")):
            tokens += table.values() if isinstance(table, dict) else []
        return {token for token in tokens if isinstance(token, int)}

    def _read(self, sequences: Tensor, effective: dict[str, Any], inputs: dict[str, Tensor]) -> Generated:
        generated = super()._read(sequences, effective, inputs)
        if not effective.get("return_timestamps"):
            return generated
        # A result joined from several calls has no EOS: only its length shows whether it was truncated.
        limit = effective["max_new_tokens"]
        if limit is None:
            limit = (effective["max_length"] or self.model.config.max_target_positions) - PREFIX_TOKENS
        eos = self.tokenizer.eos_token_id
        rows = [[token for token in row if token != eos] for row in generated.token_ids]
        truncated = [len(row) >= limit for row in rows]
        token_ids = [row if cut else [*row, eos] for row, cut in zip(rows, truncated, strict=True)]
        return Generated(texts=generated.texts, token_ids=token_ids, truncated=truncated)


def _language_token(language: str, languages: dict[str, int]) -> int:
    """Token id by code (`de`), token (`<|de|>`) or English name (`german`), as `generate` takes it; -1 if unknown."""
    name = language.lower()
    code = TO_LANGUAGE_CODE.get(name, name)
    return languages.get(name, languages.get(f"<|{code}|>", -1))
