"""What an adapter does to each weight matrix: size of the delta that takes effect, relative to the base weight.

Plain LoRA: scale * B A, whose norms follow from two small matrices without building the product. DoRA and
initialisations that change base weights (PiSSA, OLoRA and others): difference of the effective weight and the one of
the fresh base. Computed in float64 on the CPU. Imports torch.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig
from peft.tuners.tuners_utils import check_target_module_exists
from torch import Tensor, nn

from lora.asr.adapter_files import AdapterProblem, read_adapter
from lora.asr.adapters import ADAPTER, adapted_modules, part_of
from lora.records import ModuleDelta

# Initialisations that leave base weights as they are; all others are taken to change them.
KEEPING_BASE = {"true", "false", "gaussian", "orthogonal", "eva"}


def original_weights(model: nn.Module, adapter: Path | str) -> dict[str, Tensor]:
    """Copies of base weights that attaching this adapter will change, by module; mostly none: copies cost memory."""
    try:
        files = read_adapter(adapter)
        if files.rung().initialisation in KEEPING_BASE:
            return {}
        config = PeftConfig.from_peft_type(**files.config)
    except (AdapterProblem, TypeError, ValueError, KeyError):
        return {}  # loading it will say what is wrong
    return {
        name: module.weight.detach().cpu().clone()
        for name, module in model.named_modules()
        if isinstance(getattr(module, "weight", None), Tensor) and check_target_module_exists(config, name)
    }


def weight_deltas(model: nn.Module, before: dict[str, Tensor]) -> list[ModuleDelta]:
    """Rung 3 for every adapted module, by name. `before` holds the weights that differ from the layer's own now."""
    return [_module_delta(name, layer, before.get(name)) for name, layer in adapted_modules(model).items()]


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
        part=part_of(name),
        delta_norm=norm if finite else None,
        base_norm=base_norm if math.isfinite(base_norm) else None,
        relative_norm=norm / base_norm if finite and 0 < base_norm < math.inf else None,
        stable_rank=(norm / largest) ** 2 if finite and largest > 0 else None,
    )


def _wide(weight: Tensor) -> Tensor:
    """As a float64 matrix (out, everything else)."""
    weight = weight.detach().cpu().double()
    return weight.reshape(weight.shape[0], -1)


def _low_rank_norms(layer: Any) -> tuple[float, float]:
    """Frobenius and spectral norm of scale * B A: those of the small product of both triangular factors."""
    b, a = _wide(layer.lora_B[ADAPTER].weight), _wide(layer.lora_A[ADAPTER].weight)
    if not (b.isfinite().all() and a.isfinite().all()):
        return math.nan, math.nan
    core = torch.linalg.qr(b).R @ torch.linalg.qr(a.T).R.T * layer.scaling[ADAPTER]
    return _full_norms(core)


def _full_norms(delta: Tensor) -> tuple[float, float]:
    if not delta.isfinite().all():
        return math.nan, math.nan
    return float(torch.linalg.matrix_norm(delta)), float(torch.linalg.matrix_norm(delta, ord=2))


def _effective_weight(layer: Any, base: Tensor) -> Tensor:
    """The weight the layer multiplies with while its adapter is on."""
    changed = base + _wide(layer.get_delta_weight(ADAPTER))
    if ADAPTER not in getattr(layer, "lora_magnitude_vector", {}):
        return changed
    magnitude = _wide(layer.lora_magnitude_vector[ADAPTER].weight.reshape(-1, 1))
    rescaled: Tensor = magnitude * changed / torch.linalg.vector_norm(changed, dim=1, keepdim=True)
    return rescaled
