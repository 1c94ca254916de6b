"""Checks of adapter_config.json: what peft would take without a word, wait for without end, or fail on. Torch-free."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora.asr.adapter.expressions import LIMIT, slow_expression
from lora.asr.adapter.problem import AdapterProblem

if TYPE_CHECKING:
    from torch import Tensor

LARGEST = 2**31  # of ranks, alphas and token ids
# Entries of a list or mapping; peft compares each with the name of each module, some as expressions.
MOST_ENTRIES = {"modules_to_save": 500, "rank_pattern": 2_000, "alpha_pattern": 2_000}
MOST_ENTRIES_OF_OTHERS = 10_000
SMALL_RANK = 1024  # accepted whatever the matrices are
RANKS_PER_SIZE = 4  # a larger rank may be so many times as large as the largest matrix
MOST_ITERATIONS = 1000  # of an initialisation, which repeats its decomposition so often

CONFIGS = (
    "arrow_config", "corda_config", "eva_config", "kasa_config", "loftq_config", "lora_ga_config", "megatron_config",
    "monteclora_config", "use_bdlora", "velora_config",
)  # fmt: skip


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_tokens(value: Any) -> bool:
    """Token ids, or those of several embeddings by name."""
    lists = list(value.values()) if isinstance(value, dict) else [value]
    return all(isinstance(ids, list) and all(type(id) is int and 0 <= id < LARGEST for id in ids) for ids in lists)


def _is_layers(value: Any) -> bool:
    return all(type(number) is int for number in (value if isinstance(value, list) else [value]))


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_object(value: Any) -> bool:
    return isinstance(value, dict)


KEY_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "base_model_name_or_path": (_is_name, "text"),
    "bias": (_is_name, "text"),
    "init_lora_weights": (lambda value: isinstance(value, bool | str), "true, false or text"),
    "modules_to_save": (_is_names, "a list of names"),
    "target_modules": (lambda value: _is_name(value) or _is_names(value), "a list of names, or an expression"),
    "trainable_token_indices": (_is_tokens, "a list of token ids"),
    "exclude_modules": (lambda value: _is_name(value) or _is_names(value), "a list of names, or an expression"),
    "layers_pattern": (lambda value: _is_name(value) or _is_names(value), "a name, or a list of names"),
    "layers_to_transform": (_is_layers, "a number of a layer, or a list of them"),
    "lora_dropout": (_is_share, "a number from 0 to 1"),
    "target_parameters": (_is_names, "a list of names"),
    **dict.fromkeys(("rank_pattern", "alpha_pattern"), (_is_object, "an object")),
    **dict.fromkeys(CONFIGS, (_is_object, "an object")),
}
NOT_NULL = {"bias", "lora_dropout", "rank_pattern", "alpha_pattern"}  # which peft reads without looking


def check_settings(config: dict[str, Any], path: Path) -> None:
    """Check numbers, types and sizes of the settings of a file. Raises AdapterProblem."""
    for key, (accepts, expected) in KEY_TYPES.items():
        given = key in config and (config[key] is not None or key in NOT_NULL)
        if given and not accepts(config[key]):
            raise AdapterProblem(
                "adapter.not_loaded", f"{path}: {key} is {json.dumps(config[key])[:60]}; expected {expected}"
            )
    for key, value in _numbers_of(config):
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
            raise AdapterProblem("adapter.not_loaded", f"{path}: {key}: {value!r:.40} is not a number below {LARGEST}")
        if (key == "r" or key.startswith("rank_pattern")) and value != int(value):
            raise AdapterProblem("adapter.not_loaded", f"{path}: {key}: {value} is not a whole number")
    for key, value in config.items():
        most = MOST_ENTRIES.get(key, MOST_ENTRIES_OF_OTHERS)
        if isinstance(value, list | dict) and len(value) > most and key != "trainable_token_indices":
            raise AdapterProblem(
                "adapter.not_loaded", f"{path}: {key:.60} has {len(value):,} entries; expected at most {most:,}"
            )
    iterations = re.fullmatch(r"pissa_niter_(\d+)", str(config.get("init_lora_weights")))
    if iterations is not None and (len(iterations[1]) > 4 or int(iterations[1]) > MOST_ITERATIONS):
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{path}: init_lora_weights is {iterations[0]:.40}; expected at most {MOST_ITERATIONS} iterations",
        )


def check_ranks(config: dict[str, Any], tensors: dict[str, Tensor], path: Path) -> None:
    """Check that the configured ranks are not far beyond all matrices: peft would allocate matrices of that size."""
    largest = max((size for name, tensor in tensors.items() if ".lora_" in name for size in tensor.shape), default=0)
    for key, value in _numbers_of(config):
        if (key == "r" or key.startswith("rank_pattern")) and value > max(SMALL_RANK, RANKS_PER_SIZE * largest):
            raise AdapterProblem(
                "adapter.not_loaded", f"{path}: {key} is {value}, but the largest matrix has the size {largest}"
            )


def check_magnitudes(config: dict[str, Any], tensors: dict[str, Tensor], path: Path) -> None:
    """Check that the tensors have magnitudes of DoRA where `use_dora` says so, and only there."""
    magnitudes = sum(".lora_magnitude_vector" in name for name in tensors)
    if bool(magnitudes) == bool(config.get("use_dora")):
        return
    if magnitudes:
        problem = f"use_dora is not true, but the adapter has the magnitudes of {magnitudes} modules trained with DoRA"
        remedy = f"Set `use_dora` to true in {path.name}."
    else:
        problem = "use_dora is true, but the adapter has no magnitudes (lora_magnitude_vector)"
        remedy = (
            "Save the adapter again with `save_pretrained()` from the trained model, or set `use_dora` to false in "
            f"{path.name} if it was trained without DoRA."
        )
    raise AdapterProblem("adapter.not_loaded", f"{path}: {problem}", remedy=remedy)


def _numbers_of(config: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what must be a number: rank and alpha, and those of single modules."""
    yield from ((key, config[key]) for key in ("r", "lora_alpha") if key in config)
    for key in ("rank_pattern", "alpha_pattern"):
        yield from ((f"{key}: {module}", value) for module, value in config.get(key, {}).items())


def require_fast(config: dict[str, Any], names: Iterable[str], path: Path) -> None:
    """Raise AdapterProblem for an expression that takes seconds to match with the names of modules."""
    if (key := slow_expression(config, names)) is not None:
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{path}: {key}: its regular expression cannot be matched with the names of the modules within {LIMIT} s",
            remedy=f"Replace the expression in {key} by names of modules, or by one without nested repetitions.",
        )
