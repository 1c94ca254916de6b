"""The arguments of `generate` that a study may set: which exist for a model family, and which values they take.

transformers reports a wrong one late and with a traceback, and a diagnosis needs reproducible hypotheses. Torch-free.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from lora.asr.families.table import FAMILIES

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
# Without effect, because nothing is sampled.
SAMPLING = (
    "temperature", "top_k", "top_p", "min_p", "top_h", "typical_p", "epsilon_cutoff", "eta_cutoff",
)  # fmt: skip
TEXTS = ("language", "task")
TOKEN_LISTS = ("suppress_tokens", "begin_suppress_tokens")
SINGLE_TOKENS = ("decoder_start_token_id", "bos_token_id", "pad_token_id", "forced_bos_token_id")
MOST_BEAMS = 1000  # memory grows with the number; a billion would never end
# What a family without `generate` does; the only values that it takes.
GREEDY: dict[str, Any] = {"do_sample": False, "num_beams": 1}


@dataclass(frozen=True)
class ArgumentProblem:
    """The key of `decode` that is wrong, and a message that names it."""

    key: str
    text: str


def argument_problem(decode: dict[str, Any], model_type: str | None) -> ArgumentProblem | None:
    """What is wrong with the first argument that models of this type do not take.

    Args:
        decode: Arguments by name, as in the configuration.
        model_type: A key of `FAMILIES`; None if it is not known yet, where an argument of any family passes.
    """
    for key, value in decode.items():
        text = _greedy_problem(key, value, model_type) or _problem(key, value, model_type)
        if text is not None:
            return ArgumentProblem(key, text)
    return None


def _greedy_problem(key: str, value: Any, model_type: str | None) -> str | None:
    if model_type is None or FAMILIES[model_type].generates or GREEDY.get(key, ...) == value:
        return None
    return f"decode.{key} is {value!r}, but {model_type} models decode only greedily. Remove the key."


def _problem(key: str, value: Any, model_type: str | None) -> str | None:
    families = list(FAMILIES.values()) if model_type is None else [FAMILIES[model_type]]
    known = DEFAULTS.keys() | {name for family in families for name in family.decode_keys}
    if key not in known:
        close = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(sorted(known))}"
        models = "speech" if model_type is None else model_type
        return f"decode.{key}: {models} models take no argument {key!r}; {hint}"
    if (expected := expected_value(key, value)) is not None:
        return f"decode.{key} is {value!r}; expected {expected}"
    if key == "do_sample" and value:
        return "decode.do_sample is true, but a diagnosis needs reproducible hypotheses. Remove the key."
    return None


def expected_value(key: str, value: Any) -> str | None:
    """What an argument must be instead of this value; None for one that it may have."""
    if key == "num_beams" and (value is None or (type(value) is int and value > MOST_BEAMS)):
        return f"an integer of at least 1 and at most {MOST_BEAMS}"
    if value is None:
        return None
    default = DEFAULTS.get(key)
    smallest = 1 if key in {"num_beams", "max_length", "max_new_tokens"} else 0
    is_integer = key in {"max_length", "max_new_tokens", "min_new_tokens"} or type(default) is int
    if is_integer and (type(value) is not int or value < smallest):
        return f"an integer of at least {smallest}"
    if type(default) is float and (isinstance(value, bool) or not isinstance(value, int | float)):
        return "a number"
    if type(default) is bool and not isinstance(value, bool) and key != "early_stopping":
        return "true or false"
    if key in TEXTS and not isinstance(value, str):
        return "text"
    tokens = value if isinstance(value, list) else [value]
    if key in SINGLE_TOKENS and type(value) is not int:
        return "a token id"
    if key == "exponential_decay_length_penalty" and not (
        isinstance(value, list) and len(value) == 2 and all(type(number) in {int, float} for number in value)
    ):
        return "a list of two numbers: the length from which it counts, and its factor"
    if key.endswith("_token_id") and not all(type(token) is int for token in tokens):
        return "a token id, or a list of them"
    if key in TOKEN_LISTS and not (tokens is value and all(type(token) is int for token in tokens)):
        return "a list of token ids"
    return None
