"""How an initialisation (`init_lora_weights`) relates to the base weights. Torch-free until tensors are rewritten."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

# Initialisations that move components of the base weights into the new adapter.
TAKEN_FROM_BASE = re.compile(r"olora|pissa(_niter_\d+)?")
# Initialisations that leave the base weights unchanged; all others are assumed to change them.
KEEPING_BASE = {"true", "false", "gaussian", "orthogonal", "eva"}
# The only initialisation with which a fresh adapter already changes the model: both matrices are random.
RANDOM_DELTA = "false"

InitialMatrices = dict[str, tuple["Tensor", "Tensor"]]  # lora_A and lora_B of the fresh adapter, by module


def takes_from_base(initialisation: str) -> bool:
    """Whether the initialisation moves components of the base weights into the adapter (PiSSA, OLoRA)."""
    return TAKEN_FROM_BASE.fullmatch(initialisation) is not None


def as_plain_lora(
    config: dict[str, Any], tensors: dict[str, Tensor], initial: InitialMatrices
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Rewrite a PiSSA or OLoRA adapter as plain LoRA on the unchanged base model; return other adapters as they are.

    Training starts from scale * B0 A0, which is taken out of the base weight W, so that the model computes with
    W + scale * (B A - B0 A0). Stacking A0 below A and -B0 next to B gives the same delta without other base weights, so
    that a program that loads the file need not repeat the initialisation, which rounds differently on other machines
    and is random in its fast variants. The result has twice the rank, as when peft converts it (arXiv 2404.02948).

    Args:
        config: Values of `adapter_config.json`.
        tensors: The trained tensors, by their names in `adapter_model.safetensors`.
        initial: The matrices that training started from.

    Returns:
        Configuration and tensors to write.
    """
    if not takes_from_base(str(config["init_lora_weights"])):
        return config, tensors
    import torch

    plain = dict(tensors)
    for module, (a0, b0) in initial.items():
        a, b = (f"base_model.model.{module}.lora_{kind}.weight" for kind in "AB")
        plain[a] = torch.cat([tensors[a].cpu(), a0.to(tensors[a].dtype)])
        plain[b] = torch.cat([tensors[b].cpu(), -b0.to(tensors[b].dtype)], 1)
    scale = math.sqrt(2) if config["use_rslora"] else 2  # keeps alpha / rank (or alpha / sqrt(rank)) unchanged
    return config | {
        "init_lora_weights": True,
        "r": 2 * config["r"],
        "lora_alpha": scale * config["lora_alpha"],
    }, plain
