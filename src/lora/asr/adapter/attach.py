"""Attach a LoRA adapter to a model, and find the layers that an attached adapter adapts. Imports torch."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from peft import PeftConfig, PeftModel, get_peft_model
from torch import nn

from lora.asr.adapter.configuration import available_targets
from lora.asr.adapter.module_groups import MODULE_GROUPS, module_group
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.families.speech_model import SpeechModel, first_line

ADAPTER = "default"


def attach(speech: SpeechModel, config: PeftConfig) -> PeftModel:
    """Attach a fresh, trainable adapter in place; `speech.model` becomes the wrapped model.

    Raises:
        AdapterProblem: `adapter.no_target_modules` if peft cannot adapt one of the modules.
    """
    try:
        with without_peft_warnings():
            model = get_peft_model(speech.model, config)
    except ValueError as error:  # a module peft cannot adapt, such as a normalisation
        message = f"{first_line(error)} The model has {available_targets(speech.model)}"
        raise AdapterProblem("adapter.no_target_modules", message) from None
    speech.model = model
    return model


def train_in_full_precision(model: nn.Module) -> None:
    """Store trainable weights as float32 in a model of half precision, where small steps would round to nothing.

    peft does so for the LoRA matrices only; this includes fully trained modules and biases.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


@contextmanager
def without_peft_warnings() -> Iterator[None]:
    """Suppress two warnings that do not concern the user.

    peft uses an attribute that transformers will remove, and it replaces the base model's name in its configuration by
    the folder it was read from (the file we write contains the configured name).
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
        warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path`")
        yield


def adapted_modules(model: nn.Module) -> dict[str, Any]:
    """Adapted layers by their name in the base model, sorted by name."""
    layers = {
        name.removeprefix("base_model.model."): module
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and hasattr(module, "base_layer")
    }
    return dict(sorted(layers.items()))


def adapted_by_group(model: nn.Module) -> dict[str, dict[str, int]]:
    """Number of adapted modules by module group (in the order of `MODULE_GROUPS`) and last name."""
    counts = Counter((module_group(name), name.rpartition(".")[2]) for name in adapted_modules(model))
    by_group = {
        group: {last: number for (of_group, last), number in sorted(counts.items()) if of_group == group}
        for group in MODULE_GROUPS
    }
    return {group: names for group, names in by_group.items() if names}


def modules_by_group(model: nn.Module) -> dict[str, int]:
    """Number of adapted modules by module group."""
    return dict(sorted(Counter(module_group(name) for name in adapted_modules(model)).items()))


def linear_layers_by_group(model: nn.Module) -> dict[str, int]:
    """Number of linear layers of the base model by module group; those of adapters are not counted."""
    names = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    own = [name for name in names if ".lora_" not in name]
    return dict(sorted(Counter(module_group(name) for name in own).items()))
