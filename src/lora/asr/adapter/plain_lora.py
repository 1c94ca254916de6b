"""An adapter that began with a part of the base weights (PiSSA, OLoRA), written as plain LoRA on the base as it is.

Training starts from scale * B0 A0, taken out of the base weight W: the model computes with W + scale * (B A - B0 A0).
With A0 and B0 stacked beneath A and beside B the very same delta needs no other base weights: whoever loads the file
need not repeat the initialisation, which rounds otherwise on other machines and is random in its fast variants. It has
twice the rank, as when peft converts it (arXiv 2404.02948). Imports torch.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from lora.asr.adapter.choices import takes_from_base

Initial = dict[str, tuple[Tensor, Tensor]]


def as_plain_lora(
    config: dict[str, Any], tensors: dict[str, Tensor], initial: Initial
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Configuration and tensors as they are, or rewritten where the initialisation took from the base weights.

    `initial` holds lora_A and lora_B of the fresh adapter by module.
    """
    if not takes_from_base(str(config["init_lora_weights"])):
        return config, tensors
    plain = dict(tensors)
    for module, (a0, b0) in initial.items():
        a, b = (f"base_model.model.{module}.lora_{kind}.weight" for kind in "AB")
        plain[a] = torch.cat([tensors[a].cpu(), a0.to(tensors[a].dtype)])
        plain[b] = torch.cat([tensors[b].cpu(), -b0.to(tensors[b].dtype)], 1)
    scale = math.sqrt(2) if config["use_rslora"] else 2  # alpha / rank (or its root) stays what it was
    return config | {
        "init_lora_weights": True,
        "r": 2 * config["r"],
        "lora_alpha": scale * config["lora_alpha"],
    }, plain
