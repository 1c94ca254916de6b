"""The effective decode: a model's own generation settings, a person's wishes, the token cap. Torch-free.

It is made as plain JSON, because it names the transcript cache, and handed to `generate` whole, so that
what is recorded is what was used (a test compares it with the model's own reading).
"""

from __future__ import annotations

import difflib
import math
from typing import Any

from lora.asr.model_files import ModelFiles
from lora.records.base import UserError

# Arguments that change which text comes out, with what `generate` falls back to (transformers'
# GenerationConfig).
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
# In a model's own file these say nothing about the text: book-keeping, caches, what is returned beside
# it, tables.
SILENT = {
    "transformers_version", "_from_model_config", "use_cache", "cache_implementation", "cache_config",
    "return_dict_in_generate", "output_scores", "output_logits", "output_attentions", "output_hidden_states",
    "num_return_sequences", "remove_invalid_values", "max_time", "compile_config", "disable_compile",
    "alignment_heads", "lang_to_id", "task_to_id",
}  # fmt: skip
# Below this vocabulary pieces are a few letters long, and speech needs more of them a second.
SMALL_VOCABULARY, SMALL_TOKENS_PER_SECOND = 8192, 20.0
SPARE_TOKENS = 8  # the end mark and short utterances
SAMPLING_MESSAGE = "a diagnosis needs decoding that gives the same text twice; leave do_sample out"


def effective_decode(files: ModelFiles, decode: dict[str, Any]) -> dict[str, Any]:
    """Everything `generate` will be told, sorted by key, with `tokens_per_second` (token cap, or null).

    A limit in `decode` replaces model limit and cap. Raises UserError naming an argument that does not exist.
    """
    if not files.family.generates:
        return _greedy(files, decode)
    known = {*DEFAULTS, *files.family.decode_keys}
    for key, value in decode.items():
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"
            raise UserError(f"decode: {files.identity.family} models take no argument {key!r}{hint}")
        _check_type(key, value)
    if decode.get("do_sample"):
        raise UserError(f"decode: do_sample: {SAMPLING_MESSAGE}")
    # Without a file of its own a model's generation settings are those in its configuration, as the library has it.
    named = files.generation or {key: files.config[key] for key in DEFAULTS if key in files.config}
    own = {key: value for key, value in named.items() if key not in SILENT and value is not None}
    merged = DEFAULTS | own | {"do_sample": False} | asked_of(files) | decode
    if decode.get("max_new_tokens") is not None:
        merged["max_length"] = None
    elif decode.get("max_length") is not None:
        merged["max_new_tokens"] = None
    limited = any(decode.get(key) is not None for key in ("max_new_tokens", "max_length"))
    merged["tokens_per_second"] = None if limited else _tokens_per_second(files)
    return dict(sorted(merged.items()))


def asked_of(files: ModelFiles) -> dict[str, Any]:
    """How the model is asked (`model.language`, `model.prompt`), as far as its family takes it."""
    values = {"language": files.language, "prompt": files.prompt}
    told = {key: value for key, value in values.items() if key in files.family.model_keys}
    # Where `generate` itself takes an argument, its own settings decide what is left open.
    return {key: value for key, value in told.items() if value is not None or key not in files.family.decode_keys}


def _greedy(files: ModelFiles, decode: dict[str, Any]) -> dict[str, Any]:
    """Of a family without `generate`: only arguments that ask for what it does anyway."""
    does = {"do_sample": False, "num_beams": 1}
    for key, value in decode.items():
        if does.get(key, ...) != value:
            raise UserError(f"decode: {key}: {value!r}, but {files.identity.family} models only decode greedily")
    return {**does, "tokens_per_second": None}


def token_limit(decode: dict[str, Any], seconds: float) -> int | None:
    """Most new tokens for an utterance padded to `seconds`; null leaves it to the model's own limit."""
    limits = []
    if decode["max_new_tokens"] is not None:
        limits.append(int(decode["max_new_tokens"]))
    elif decode["max_length"] is not None:
        limits.append(int(decode["max_length"]) - 1)  # it counts the start token too
    if decode["tokens_per_second"] is not None:
        limits.append(math.ceil(decode["tokens_per_second"] * seconds) + SPARE_TOKENS)
    return min(limits) if limits else None


def _tokens_per_second(files: ModelFiles) -> float | None:
    rate = files.family.tokens_per_second
    if rate is None:
        return None
    return SMALL_TOKENS_PER_SECOND if int(files.config.get("vocab_size", SMALL_VOCABULARY)) < SMALL_VOCABULARY else rate


def _check_type(key: str, value: Any) -> None:
    """Numbers where numbers belong: the library's own message comes late and as a traceback."""
    default = DEFAULTS.get(key)
    whole = key in {"max_length", "max_new_tokens", "min_new_tokens"} or (type(default) is int)
    if value is None:
        return
    if whole and (type(value) is not int or value < 0 or (key in {"num_beams", "max_new_tokens"} and value < 1)):
        raise UserError(f"decode: {key}: {value!r} is not a whole number that makes sense here")
    if type(default) is float and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise UserError(f"decode: {key}: {value!r} is not a number")
    if type(default) is bool and not isinstance(value, bool) and key != "early_stopping":
        raise UserError(f"decode: {key}: {value!r} is not true or false")
