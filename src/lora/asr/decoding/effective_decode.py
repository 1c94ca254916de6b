"""The effective decode: the model's generation settings, overridden by the study's `decode`, and the token limit.

It is plain JSON, because the fingerprint of the transcript cache covers it, and `generate` receives all of it, so that
the recorded settings are those in effect (a test compares them with what the model reads itself). Torch-free.
"""

from __future__ import annotations

import math
from typing import Any

from lora.asr.decoding.decode_arguments import DEFAULTS, GREEDY, SAMPLING, argument_problem, expected_value
from lora.asr.model_files import ModelFiles
from lora.records.base import UserError

# Keys of generation_config.json that do not change a hypothesis: metadata, caches, additional outputs, tables.
WITHOUT_EFFECT = {
    "transformers_version", "_from_model_config", "use_cache", "cache_implementation", "cache_config",
    "return_dict_in_generate", "output_scores", "output_logits", "output_attentions", "output_hidden_states",
    "num_return_sequences", "remove_invalid_values", "max_time", "compile_config", "disable_compile",
    "alignment_heads", "lang_to_id", "task_to_id",
}  # fmt: skip
ENDS = {"eos_token_id", "decoder_start_token_id", "forced_bos_token_id", "forced_eos_token_id"}
LIMITS = ("max_new_tokens", "max_length")
# Tokens of a vocabulary below this size are a few letters long, and speech needs more of them per second.
SMALL_VOCABULARY = 8192
SMALL_TOKENS_PER_SECOND = 20.0
SPARE_TOKENS = 8  # for EOS and short utterances


def effective_decode(files: ModelFiles, decode: dict[str, Any]) -> dict[str, Any]:
    """All settings of `generate`, sorted by key, and `tokens_per_second` (token limit by duration, or None).

    `max_new_tokens` or `max_length` in `decode` replace the model's limit and the limit by duration.

    Raises:
        UserError: An argument of `decode` does not exist, or one of `decode` or of the model has a wrong type, or
            `decode` asks for sampling.
    """
    if (problem := argument_problem(decode, files.identity.family)) is not None:
        raise UserError(problem.text)
    if not files.family.generates:
        return {**GREEDY, "tokens_per_second": None}
    # Like transformers: without generation_config.json the settings in config.json apply.
    stored = files.generation or {key: files.config[key] for key in DEFAULTS if key in files.config}
    own = {key: value for key, value in stored.items() if key not in WITHOUT_EFFECT and value is not None}
    for key, value in own.items():
        if key not in SAMPLING and (expected := expected_value(key, value)) is not None:
            raise UserError(
                f"model {files.identity.id}: {key} of its generation settings is {value!r:.40}; expected {expected}. "
                "Copy generation_config.json from the base model."
            )
    _require_known_tokens(files, own, decode)
    merged = DEFAULTS | own | {"do_sample": False} | language_and_prompt(files) | decode
    if decode.get("max_new_tokens") is not None:
        merged["max_length"] = None
    elif decode.get("max_length") is not None:
        merged["max_new_tokens"] = None
    limited = any(decode.get(key) is not None for key in LIMITS)
    merged["tokens_per_second"] = None if limited else _tokens_per_second(files)
    return dict(sorted(merged.items()))


def _require_known_tokens(files: ModelFiles, own: dict[str, Any], decode: dict[str, Any]) -> None:
    """Raise UserError for the token of a text's begin or end that the model does not have."""
    text_config = files.config.get("text_config")
    size = files.config.get("vocab_size", text_config.get("vocab_size") if isinstance(text_config, dict) else None)
    if type(size) is not int:
        return
    own_key = f"model {files.identity.id}: {{}} of its generation settings"
    for settings, key, remedy in (
        (own, own_key, "Copy generation_config.json from the base model"),
        (decode, "decode.{}", "Correct it"),
    ):
        for name in ENDS & settings.keys():
            tokens = settings[name] if isinstance(settings[name], list) else [settings[name]]
            if not all(token is None or 0 <= token < size for token in tokens):
                raise UserError(
                    f"{key.format(name)} is {settings[name]!r:.40}; expected tokens of the model, which are 0 to "
                    f'{size - 1:,} ("vocab_size" in config.json). {remedy}.'
                )


def language_and_prompt(files: ModelFiles) -> dict[str, Any]:
    """`model.language` and `model.prompt` of the study, as far as the family takes them."""
    values = {"language": files.language, "prompt": files.prompt}
    taken = {key: value for key, value in values.items() if key in files.family.model_keys}
    # An argument of `generate` that is not set keeps the model's own setting.
    return {key: value for key, value in taken.items() if value is not None or key not in files.family.decode_keys}


def token_limit(decode: dict[str, Any], seconds: float) -> int | None:
    """Largest number of new tokens for an utterance padded to `seconds`, None if only the model's own limit applies."""
    limits = []
    if decode["max_new_tokens"] is not None:
        limits.append(int(decode["max_new_tokens"]))
    elif decode["max_length"] is not None:
        limits.append(int(decode["max_length"]) - 1)  # max_length counts the decoder start token, too
    if decode["tokens_per_second"] is not None:
        limits.append(math.ceil(decode["tokens_per_second"] * seconds) + SPARE_TOKENS)
    return min(limits) if limits else None


def _tokens_per_second(files: ModelFiles) -> float | None:
    rate = files.family.tokens_per_second
    if rate is None:
        return None
    size = files.config.get("vocab_size")
    return SMALL_TOKENS_PER_SECOND if isinstance(size, int) and size < SMALL_VOCABULARY else rate
