"""The effective decode: the model's generation settings, overridden by the study's `decode`, and the token limit.

It is plain JSON, because the fingerprint of the transcript cache covers it, and `generate` receives all of it, so that
the recorded settings are those in effect (a test compares them with what the model reads itself). Torch-free.
"""

from __future__ import annotations

import difflib
import math
from typing import Any

from lora.asr.model_files import ModelFiles
from lora.records.base import UserError

# Arguments that can change a hypothesis, with the defaults of transformers' GenerationConfig.
DEFAULTS: dict[str, Any] = {
    "max_length": None, "max_new_tokens": None, "min_length": 0, "min_new_tokens": None,
    "early_stopping": False, "do_sample": False, "num_beams": 1, "temperature": 1.0,
    "top_k": 50, "top_p": 1.0, "min_p": None, "top_h": None, "typical_p": 1.0, "epsilon_cutoff": 0.0,
    "eta_cutoff": 0.0, "repetition_penalty": 1.0, "encoder_repetition_penalty": 1.0, "length_penalty": 1.0,
    "no_repeat_ngram_size": 0, "encoder_no_repeat_ngram_size": 0, "bad_words_ids": None,
    "renormalize_logits": None, "forced_bos_token_id": None, "forced_eos_token_id": None,
    "exponential_decay_length_penalty": None, "suppress_tokens": None, "begin_suppress_tokens": None,
    "sequence_bias": None, "guidance_scale": None, "pad_token_id": None, "bos_token_id": None,
    "eos_token_id": None, "decoder_start_token_id": None,
}  # fmt: skip
# Keys of generation_config.json that do not change a hypothesis: metadata, caches, additional outputs, tables.
WITHOUT_EFFECT = {
    "transformers_version", "_from_model_config", "use_cache", "cache_implementation", "cache_config",
    "return_dict_in_generate", "output_scores", "output_logits", "output_attentions", "output_hidden_states",
    "num_return_sequences", "remove_invalid_values", "max_time", "compile_config", "disable_compile",
    "alignment_heads", "lang_to_id", "task_to_id",
}  # fmt: skip
# Tokens of a vocabulary below this size are a few letters long, and speech needs more of them per second.
SMALL_VOCABULARY = 8192
SMALL_TOKENS_PER_SECOND = 20.0
SPARE_TOKENS = 8  # for EOS and short utterances
SAMPLING_MESSAGE = "decode.do_sample is true, but a diagnosis needs reproducible hypotheses. Remove the key."


def effective_decode(files: ModelFiles, decode: dict[str, Any]) -> dict[str, Any]:
    """All settings of `generate`, sorted by key, and `tokens_per_second` (token limit by duration, or None).

    `max_new_tokens` or `max_length` in `decode` replace the model's limit and the limit by duration.

    Raises:
        UserError: An argument does not exist or has a wrong type, or `decode` asks for sampling.
    """
    if not files.family.generates:
        return _greedy(files, decode)
    known = {*DEFAULTS, *files.family.decode_keys}
    for key, value in decode.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; expected one of {', '.join(sorted(known))}"
            raise UserError(f"decode.{key}: {files.identity.family} models take no argument {key!r}{hint}")
        _check_type(key, value)
    if decode.get("do_sample"):
        raise UserError(SAMPLING_MESSAGE)
    # Like transformers: without generation_config.json the settings in config.json apply.
    stored = files.generation or {key: files.config[key] for key in DEFAULTS if key in files.config}
    own = {key: value for key, value in stored.items() if key not in WITHOUT_EFFECT and value is not None}
    merged = DEFAULTS | own | {"do_sample": False} | language_and_prompt(files) | decode
    if decode.get("max_new_tokens") is not None:
        merged["max_length"] = None
    elif decode.get("max_length") is not None:
        merged["max_new_tokens"] = None
    limited = any(decode.get(key) is not None for key in ("max_new_tokens", "max_length"))
    merged["tokens_per_second"] = None if limited else _tokens_per_second(files)
    return dict(sorted(merged.items()))


def language_and_prompt(files: ModelFiles) -> dict[str, Any]:
    """`model.language` and `model.prompt` of the study, as far as the family takes them."""
    values = {"language": files.language, "prompt": files.prompt}
    taken = {key: value for key, value in values.items() if key in files.family.model_keys}
    # An argument of `generate` that is not set keeps the model's own setting.
    return {key: value for key, value in taken.items() if value is not None or key not in files.family.decode_keys}


def _greedy(files: ModelFiles, decode: dict[str, Any]) -> dict[str, Any]:
    """Settings of a family without `generate`, which accepts only arguments that mean greedy decoding."""
    greedy = {"do_sample": False, "num_beams": 1}
    for key, value in decode.items():
        if greedy.get(key, ...) != value:
            raise UserError(
                f"decode.{key} is {value!r}, but {files.identity.family} models decode only greedily. Remove the key."
            )
    return {**greedy, "tokens_per_second": None}


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
    return SMALL_TOKENS_PER_SECOND if int(files.config.get("vocab_size", SMALL_VOCABULARY)) < SMALL_VOCABULARY else rate


def _check_type(key: str, value: Any) -> None:
    """Check a value's type here, because transformers reports it late and with a traceback."""
    default = DEFAULTS.get(key)
    is_integer = key in {"max_length", "max_new_tokens", "min_new_tokens"} or (type(default) is int)
    if value is None:
        return
    smallest = 1 if key in {"num_beams", "max_new_tokens"} else 0
    if is_integer and (type(value) is not int or value < smallest):
        raise UserError(f"decode.{key} is {value!r}; expected an integer of at least {smallest}")
    if type(default) is float and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise UserError(f"decode.{key} is {value!r}; expected a number")
    if type(default) is bool and not isinstance(value, bool) and key != "early_stopping":
        raise UserError(f"decode.{key} is {value!r}; expected true or false")
