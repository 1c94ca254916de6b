"""Stage 1 of the effect ladder: whether the tensors of an adapter agree with its configuration.

This needs no model: names and shapes of tensors are compared with the configuration (pairs of lora_A and lora_B, ranks
by pattern, targets without a tensor, tensors that no setting explains). Imports no torch.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lora.asr.adapter.module_groups import module_group
from lora.records.effect import FileStage, Spread

if TYPE_CHECKING:
    from torch import Tensor

PEFT_RANK, PEFT_ALPHA = 8, 8  # peft's defaults
MATRIX = re.compile(
    r"^(?:base_model\.model\.)?(?P<module>.+)\.lora_(?P<kind>A|B|embedding_A|embedding_B)(?:\.weight)?$"
)
# The matrix of a pair that is initialised with zeros; for embeddings it is A.
STARTS_AT_ZERO = {"B", "embedding_A"}
TRAINED_TOKENS = ("token_adapter", "trainable_tokens")


def file_stage(config: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> FileStage:
    """Describe an adapter by its configuration and its tensors (by name, on the CPU)."""
    matrices = {name: match for name in sorted(tensors) if (match := MATRIX.match(name))}
    kinds: dict[str, dict[str, Tensor]] = {}
    for name, match in matrices.items():
        kinds.setdefault(match["module"], {})[match["kind"]] = tensors[name]
    non_finite = [name for name in sorted(tensors) if not bool(tensors[name].isfinite().all())]
    zeroed = [matrix for pair in kinds.values() for kind, matrix in pair.items() if kind in STARTS_AT_ZERO]
    by_group = Counter(module_group(module) for module, pair in kinds.items() if STARTS_AT_ZERO & pair.keys())
    zero_by_group = Counter(
        module_group(module)
        for module, pair in kinds.items()
        if any(kind in STARTS_AT_ZERO and not bool(matrix.any()) for kind, matrix in pair.items())
    )
    others = [name for name in sorted(tensors) if ".lora_" not in name]
    rank = int(config.get("r", PEFT_RANK))
    return FileStage(
        peft_type=str(config.get("peft_type")),
        rank=rank,
        alpha=config.get("lora_alpha"),
        tensors=len(tensors),
        finite=not non_finite,
        lora_b=len(zeroed),
        lora_b_zero=sum(not bool(matrix.any()) for matrix in zeroed),
        initialisation=_initialisation(config.get("init_lora_weights", True)),
        bias=str(config.get("bias", "none")),
        non_finite=non_finite,
        overflowed=bool(non_finite) and all(_overflowed(tensors[name]) for name in non_finite),
        lora_b_by_group=dict(by_group),
        lora_b_zero_by_group=dict(zero_by_group),
        pattern_alphas=sorted(_numbers(_pattern(config, "alpha_pattern"))),
        lora_b_norms=_spread([float(matrix.double().norm()) for matrix in zeroed]),
        scaling=_scaling(config, rank),
        variant=_variant(config),
        rank_pattern=len(_pattern(config, "rank_pattern")),
        alpha_pattern=len(_pattern(config, "alpha_pattern")),
        modules_to_save=sorted(map(str, config.get("modules_to_save") or [])),
        unpaired=[module for module, pair in kinds.items() if len(pair) % 2],
        targets_without_tensors=_unmet_targets(config, list(kinds)),
        other_ranks=_other_ranks(config, rank, kinds),
        other_tensors=others,
        undeclared=[name for name in others if not _is_declared(config, name)],
    )


def _initialisation(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _spread(norms: list[float]) -> Spread | None:
    finite = [norm for norm in norms if math.isfinite(norm)]
    return Spread(low=min(finite), median=statistics.median(finite), high=max(finite)) if finite else None


def _scaling(config: Mapping[str, Any], rank: int) -> float | None:
    if rank < 1:
        return None
    return float(config.get("lora_alpha", PEFT_ALPHA)) / (math.sqrt(rank) if config.get("use_rslora") else rank)


def _variant(config: Mapping[str, Any]) -> str:
    names = [name for key, name in (("use_dora", "DoRA"), ("use_rslora", "rsLoRA")) if config.get(key)]
    return ", ".join(names) or "LoRA"


def _pattern(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return value if isinstance(value, dict) else {}


def _numbers(values: Mapping[str, Any]) -> list[float]:
    return [float(v) for v in values.values() if isinstance(v, int | float) and not isinstance(v, bool)]


def _overflowed(tensor: Tensor) -> bool:
    """Whether a float16 tensor contains infinities and no NaN: values above 65,504 when it was saved."""
    return str(tensor.dtype) == "torch.float16" and bool(tensor.isinf().any()) and not bool(tensor.isnan().any())


def _unmet_targets(config: Mapping[str, Any], modules: list[str]) -> list[str]:
    """Target names without a tensor; empty for regular expressions, which need the model."""
    targets = config.get("target_modules")
    if not isinstance(targets, list):
        return []
    return sorted(t for t in map(str, targets) if not any(f".{module}".endswith(f".{t}") for module in modules))


def _other_ranks(config: Mapping[str, Any], rank: int, kinds: dict[str, dict[str, Tensor]]) -> list[str]:
    """Modules whose lora_A has another rank than configured; patterns match as in peft."""
    patterns = _pattern(config, "rank_pattern")

    def configured(module: str) -> Any:
        return next((r for key, r in patterns.items() if _matches(key, module)), rank)

    firsts = {module: pair.get("A", pair.get("embedding_A")) for module, pair in kinds.items()}
    return [m for m, first in firsts.items() if first is not None and first.shape[0] != configured(m)]


def _matches(pattern: str, module: str) -> bool:
    try:
        return re.match(rf"(.*\.)?({pattern})$", module) is not None
    except re.error:
        return False  # loading the adapter reports the problem


def _is_declared(config: Mapping[str, Any], name: str) -> bool:
    """Whether the configuration declares this tensor as saved in addition to the LoRA matrices.

    peft finds modules to save by the end of their names, and saves an embedding whole (`base_layer`) if it adapts it.
    """
    saved = [str(module) for module in config.get("modules_to_save") or []]
    biases = config.get("bias", "none") != "none" and name.endswith(".bias")
    tokens = bool(config.get("trainable_token_indices")) and any(part in name for part in TRAINED_TOKENS)
    return biases or tokens or ".base_layer." in name or any(f"{module}." in name for module in saved)
