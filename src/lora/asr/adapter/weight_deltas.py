"""Size of the effective weight delta of an adapter, per weight matrix and relative to the base weight.

Plain LoRA: scale * B A, whose norms follow from two small matrices without computing the product. DoRA and
initialisations that change base weights (PiSSA, OLoRA and others): the effective weight minus the original base weight.
Computed in float64 on the CPU. Imports torch.
"""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel
from peft.tuners.tuners_utils import check_target_module_exists
from torch import Tensor, nn

from lora.asr.adapter.attach import ADAPTER, adapted_modules
from lora.asr.adapter.files import CONFIG, read_adapter
from lora.asr.adapter.initialisation import KEEPING_BASE, RANDOM_DELTA, takes_from_base
from lora.asr.adapter.module_groups import module_group
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.settings import require_fast
from lora.records.effect import ModuleDelta
from lora.records.training import ModuleChange

# Limits for `merged_share`: the largest standard error of the median, and the largest spread over modules (in standard
# deviations of one module) at which the modules still agree.
MOST_ERROR, MOST_SPREAD = 0.1, 3.0
MEDIAN_ERROR = math.sqrt(math.pi / 2)  # of a median against a mean


def original_weights(model: nn.Module, adapter: Path | str) -> dict[str, Tensor]:
    """Copies of the base weights that attaching this adapter changes, by module; empty for most initialisations."""
    try:
        files = read_adapter(adapter)
        if files.stage().initialisation in KEEPING_BASE:
            return {}
        require_fast(files.config, [name for name, _ in model.named_modules()], Path(adapter) / CONFIG)
        config = PeftConfig.from_peft_type(**files.config)
    except (AdapterProblem, TypeError, ValueError, KeyError):
        return {}  # loading the adapter reports the problem
    return {
        name: module.weight.detach().cpu().clone()
        for name, module in model.named_modules()
        if isinstance(getattr(module, "weight", None), Tensor) and check_target_module_exists(config, name)
    }


def weight_deltas(
    model: nn.Module, before: dict[str, Tensor], initialisation: str, changes: list[ModuleChange]
) -> list[ModuleDelta]:
    """Stage 3 of the effect ladder: the weight delta of every adapted module, sorted by name.

    Args:
        model: The model with its adapter.
        before: Original base weights, by module, where attaching the adapter changed them.
        initialisation: `init_lora_weights` of the adapter.
        changes: What this software recorded during training; needed if both matrices started at random, because the
            delta then contains more than what was learnt.
    """
    recorded = {change.name: change.delta for change in changes}
    deltas = [_module_delta(name, layer, before.get(name)) for name, layer in adapted_modules(model).items()]
    return [
        delta.model_copy(
            update={"change": recorded.get(delta.name) if initialisation == RANDOM_DELTA else delta.relative_norm}
        )
        for delta in deltas
    ]


def merged_share(model: nn.Module) -> float | None:
    """How many times the base weights already contain this adapter's delta D: median over modules of <W, D> / <D, D>.

    A weight W independent of D gives 0 with a standard deviation of |W| / (|D| sqrt(entries)); a weight that D was
    added to once gives 1. None if that noise or the spread over modules is too large to distinguish the two.
    Measured on the embedded model after 60 steps: -0.04 before merging and 0.96 after.
    """
    shares, noises = [], []
    for layer in adapted_modules(model).values():
        base = layer.get_base_layer()
        if not isinstance(base, nn.Linear) or ADAPTER not in layer.lora_B:
            continue
        with torch.no_grad():
            weight = _wide(base.weight)
            b = _wide(layer.lora_B[ADAPTER].weight)
            a = _wide(layer.lora_A[ADAPTER].weight)
            delta = layer.scaling[ADAPTER] * b @ a
            square = float(delta.square().sum())
            if 0 < square < math.inf:
                shares.append(float((weight * delta).sum()) / square)
                noises.append(float(weight.norm()) / math.sqrt(square * weight.numel()))
    if not shares or not math.isfinite(sum(shares)):
        return None
    noise = statistics.median(noises)
    quarter = len(shares) // 4
    middle = sorted(shares)[quarter : len(shares) - quarter]
    reliable = (
        noise * MEDIAN_ERROR / math.sqrt(len(shares)) <= MOST_ERROR and middle[-1] - middle[0] <= MOST_SPREAD * noise
    )
    return statistics.median(shares) if reliable else None


def initial_matrices(model: nn.Module) -> dict[str, tuple[Tensor, Tensor]]:
    """Copies of lora_A and lora_B of a fresh adapter, by module: the start of its training."""
    return {
        name: (layer.lora_A[ADAPTER].weight.detach().cpu().clone(), layer.lora_B[ADAPTER].weight.detach().cpu().clone())
        for name, layer in adapted_modules(model).items()
        if ADAPTER in layer.lora_A
    }


def module_changes(
    model: PeftModel, initial: dict[str, tuple[Tensor, Tensor]], tensors: dict[str, Tensor]
) -> list[ModuleChange]:
    """Distance of `tensors` (a trained adapter) from the initial matrices, for every module of `model`, by name."""
    config: Any = model.peft_config[ADAPTER]
    taken = takes_from_base(str(config.init_lora_weights))
    changes = []
    for name, layer in adapted_modules(model).items():
        if name not in initial:
            continue
        with torch.no_grad():
            a0, b0 = map(_wide, initial[name])
            a, b = (_wide(tensors[f"base_model.model.{name}.lora_{kind}.weight"]) for kind in "AB")
            # scale * (B A - B0 A0) as one product of stacked matrices, whose norm needs no full matrix.
            norm, _ = _product_norms(torch.cat([b, -b0], 1) * layer.scaling[ADAPTER], torch.cat([a, a0]))
            weight = _wide(layer.get_base_layer().weight)
            base = float((weight + layer.scaling[ADAPTER] * b0 @ a0 if taken else weight).norm())
            moved = float((a - a0).norm())
            start = float(a0.norm())
        changes.append(ModuleChange(name=name, lora_a=_ratio(moved, start), delta=_ratio(norm, base)))
    return changes


def _ratio(norm: float, base: float) -> float | None:
    return norm / base if math.isfinite(norm) and 0 < base < math.inf else None


def _module_delta(name: str, layer: Any, before: Tensor | None) -> ModuleDelta:
    with torch.no_grad():
        now = _wide(layer.get_base_layer().weight)
        base = now if before is None else _wide(before)
        plain = before is None and ADAPTER not in layer.lora_variant and isinstance(layer.get_base_layer(), nn.Linear)
        if plain:
            norm, largest = _low_rank_norms(layer)
        else:
            norm, largest = _full_norms(_effective_weight(layer, now) - base)
        base_norm = float(torch.linalg.matrix_norm(base))
    finite = math.isfinite(norm)
    return ModuleDelta(
        name=name,
        module_group=module_group(name),
        delta_norm=norm if finite else None,
        base_norm=base_norm if math.isfinite(base_norm) else None,
        relative_norm=norm / base_norm if finite and 0 < base_norm < math.inf else None,
        stable_rank=(norm / largest) ** 2 if finite and largest > 0 else None,
        scale=float(layer.scaling[ADAPTER]),
    )


def _wide(weight: Tensor) -> Tensor:
    """The weight as a float64 matrix of shape (out, product of all other dimensions)."""
    weight = weight.detach().cpu().double()
    return weight.reshape(weight.shape[0], -1)


def _low_rank_norms(layer: Any) -> tuple[float, float]:
    """Frobenius and spectral norm of scale * B A, from the product of the triangular factors of both."""
    return _product_norms(
        _wide(layer.lora_B[ADAPTER].weight) * layer.scaling[ADAPTER], _wide(layer.lora_A[ADAPTER].weight)
    )


def _product_norms(b: Tensor, a: Tensor) -> tuple[float, float]:
    if not (b.isfinite().all() and a.isfinite().all()):
        return math.nan, math.nan
    return _full_norms(torch.linalg.qr(b).R @ torch.linalg.qr(a.T).R.T)


def _full_norms(delta: Tensor) -> tuple[float, float]:
    if not delta.isfinite().all():
        return math.nan, math.nan
    return float(torch.linalg.matrix_norm(delta)), float(torch.linalg.matrix_norm(delta, ord=2))


def _effective_weight(layer: Any, base: Tensor) -> Tensor:
    """The weight that the layer multiplies with while its adapter is enabled."""
    changed = base + _wide(layer.get_delta_weight(ADAPTER))
    if ADAPTER not in getattr(layer, "lora_magnitude_vector", {}):
        return changed
    magnitude = _wide(layer.lora_magnitude_vector[ADAPTER].weight.reshape(-1, 1))
    rescaled: Tensor = magnitude * changed / torch.linalg.vector_norm(changed, dim=1, keepdim=True)
    return rescaled
