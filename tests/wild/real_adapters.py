"""Faults of adapters, planted with the trained adapter as an external candidate, and neighbours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from healthy_study import (
    change_json,
    own_model,
    use_external_adapter,
)
from plant_adapter import WEIGHTS, change_tensors, scaled
from real_cases import fault, neighbour
from safetensors.numpy import load_file, save_file
from small_study import Study

SCALE = 2.0  # alpha 16 over rank 8


@fault("adapter.base_mismatch", "an adapter on a base it was merged into before")
def merged_twice(study: Study) -> None:
    adapter = use_external_adapter(study)
    (adapter / "lora_provenance.json").unlink()
    add_to_weights(own_model(study), adapter / WEIGHTS)


def add_to_weights(model: Path, adapter: Path) -> None:
    """Merge the matrices of an adapter into the weights of a model folder."""
    matrices = load_file(adapter)
    path = model / "model.safetensors"
    weights = load_file(path)
    for name in [name for name in matrices if name.endswith("lora_A.weight")]:
        module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
        delta = matrices[name.replace("lora_A", "lora_B")] @ matrices[name] * SCALE
        weight = weights[f"{module}.weight"]
        weights[f"{module}.weight"] = (weight.astype(np.float32) + delta).astype(weight.dtype)
    save_file(weights, path, metadata={"format": "pt"})


@neighbour("adapter.base_mismatch", "the adapter merged into a checkpoint, once")
def merged_once(study: Study) -> None:
    model = own_model(study)
    study.configure({"model": {"id": "data/model"}})  # the checkpoint is a candidate
    add_to_weights(model, study.results / "adapters/lora/best" / WEIGHTS)
    study.configure({"candidates": {"lora": None, "merged": {"checkpoint": str(model.relative_to(study.folder))}}})


@fault(
    "adapter.not_finite",
    "an adapter that overflowed when it was saved in half precision",
    source="huggingface/diffusers#5316",
)
def overflow(study: Study) -> None:
    def halved(tensors: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        largest = max(tensors, key=lambda name: float(np.abs(tensors[name]).max()))
        with np.errstate(over="ignore"):
            return {n: (v * np.float32(1e7 if n == largest else 1)).astype(np.float16) for n, v in tensors.items()}

    change_tensors(use_external_adapter(study), halved)


@neighbour("adapter.not_finite", "a study whose model runs in half precision (bfloat16)")
def in_half_precision(study: Study) -> None:
    use_external_adapter(study)
    study.configure({"model": {"dtype": "bfloat16"}})


@neighbour("adapter.not_finite", "an adapter that was saved in half precision")
def half_precision(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: {n: v.astype(np.float16) for n, v in tensors.items()})


@fault("adapter.not_loaded", "an adapter saved from a compiled model", source="huggingface/peft#2957")
def compiled(study: Study) -> None:
    change_tensors(
        use_external_adapter(study),
        lambda tensors: {n.replace("base_model.model.", "base_model.model._orig_mod."): v for n, v in tensors.items()},
    )


@fault("adapter.zero_delta", "an adapter of a script that saved it before training", source="huggingface/peft#2115")
def saved_before(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0))


@fault("adapter.negligible_delta", "an adapter of a learning rate a thousand times too small")
def hardly_trained(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 0.001))


@fault("adapter.excessive_delta", "an adapter of a learning rate far too large", source="jumon/whisper-finetuning#9")
def far_too_strong(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, 25))


@fault("adapter.broken_hypotheses", "an adapter whose delta is subtracted, which makes every eighth hypothesis loop")
def subtracted(study: Study) -> None:
    change_tensors(use_external_adapter(study), lambda tensors: scaled(tensors, -1))


def keep_modules(study: Study, pattern: str, chosen: Callable[[str], bool]) -> None:
    """Give an external adapter of only some of the modules, which its configuration names."""
    adapter = use_external_adapter(study)
    (adapter / "lora_provenance.json").unlink()
    change_json(adapter / "adapter_config.json", {"target_modules": pattern})
    change_tensors(adapter, lambda tensors: {n: v for n, v in tensors.items() if chosen(n)})


@fault("adapter.broken_hypotheses", "the encoder's part of an adapter alone, with which one hypothesis loops")
def encoder_only(study: Study) -> None:
    keep_modules(study, r".*encoder\.layers.*(q_proj|k_proj|v_proj|out_proj|fc1|fc2)", lambda n: ".encoder.layers" in n)


@neighbour("adapter.partial_targets", "an adapter on q_proj and v_proj")
def query_and_value(study: Study) -> None:
    keep_modules(study, r".*(q_proj|v_proj)", lambda name: ".q_proj." in name or ".v_proj." in name)
