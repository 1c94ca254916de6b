"""The peft configuration of a new adapter: target modules, fully trained modules, rank. Imports torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peft import LoraConfig
from peft.tuners.tuners_utils import check_target_module_exists
from torch import nn

from lora.asr.adapter.expressions import LIMIT, slow_expression
from lora.asr.adapter.initialisation import takes_from_base
from lora.asr.adapter.module_groups import MODULE_GROUPS, module_group
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.families.table import ATTENTION_AND_MLP, FAMILIES
from lora.records.base import UserError

INITIALISATIONS: dict[str, bool] = {"true": True, "false": False}  # all others are peft's names
TIED_EMBEDDING = "embed_tokens"  # peft keeps weights tied only to an embedding of this name


def lora_config(model: nn.Module, settings: Mapping[str, Any], model_id: str) -> LoraConfig:
    """Create the peft configuration for training settings (keys as in `train` of config.yaml).

    It has no task type: the one for sequence-to-sequence models renames inputs to `input_ids`, which speech models do
    not take.

    Raises:
        AdapterProblem: `adapter.no_target_modules` with the names that the model offers.
        UserError: The initialisation cannot be used with these modules or this rank.
    """
    setting = str(settings["target_modules"])
    groups = settings["target_parts"]
    initialisation: Any = str(settings["init_lora_weights"])
    fully_trained = find_modules_to_save(model, settings["modules_to_save"])
    config = LoraConfig(
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        lora_dropout=settings["dropout"],
        target_modules=target_modules(model, setting, groups),
        use_dora=settings["use_dora"],
        use_rslora=settings["use_rslora"],
        init_lora_weights=INITIALISATIONS.get(initialisation.lower(), initialisation),
        modules_to_save=fully_trained.names or None,
        ensure_weight_tying=fully_trained.tied,
        bias=settings["bias"],
        base_model_name_or_path=model_id,
    )
    available = available_targets(model)
    if slow_expression({"target_modules": config.target_modules}, [name for name, _ in model.named_modules()]):
        raise AdapterProblem(
            "adapter.no_target_modules",
            f"target_modules {setting!r}: the expression cannot be matched with the names of the modules within "
            f"{LIMIT} s; write one without nested repetitions, or names separated by commas",
        )
    if setting == "auto" and set(groups) != set(MODULE_GROUPS):
        setting = f"auto of {', '.join(groups)}"
    if setting != "all-linear":
        try:
            matched = any(check_target_module_exists(config, name) for name, _ in model.named_modules() if name)
        except re.error as error:
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} is not a valid regular expression ({error}); the model has {available}",
            ) from None
        if not matched:
            saved = ", ".join(settings["modules_to_save"])
            left = f" apart from modules_to_save ({saved}), which get no adapter" if saved else ""
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} matches no module of the model{left}; the model has {available}",
            )
    _check_rank(model, config)
    return config


def target_modules(model: nn.Module, setting: str, groups: Sequence[str] = MODULE_GROUPS) -> list[str] | str:
    """Resolve `--target-modules`: `auto`, `all-linear`, names separated by commas, or a regular expression.

    `auto` means the attention projections and MLP layers that the family's model calls (`Family.target_layers`).

    Returns:
        Last names of modules if all groups are wanted, full names if only some `groups` are; or peft's own keyword or
        expression.
    """
    if setting == "auto":
        family = FAMILIES.get(getattr(getattr(model, "config", None), "model_type", ""))
        layers = ATTENTION_AND_MLP if family is None else family.target_layers
        names = [name for name, _ in linear_layers(model) if name.rpartition(".")[2] in layers]
        if set(groups) == set(MODULE_GROUPS):
            return sorted({name.rpartition(".")[2] for name in names})
        return sorted(name for name in names if module_group(name) in groups)
    if setting == "all-linear" or re.search(r"[*+?()\[\]{}|^$\\]", setting):
        return setting
    return sorted({name.strip() for name in setting.split(",") if name.strip()})


def linear_layers(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear))


def available_targets(model: nn.Module) -> str:
    """Last names of the linear layers, each once, for messages."""
    return ", ".join(sorted({name.rpartition(".")[2] for name, _ in linear_layers(model)} - {"base_layer"}))


def _check_rank(model: nn.Module, config: LoraConfig) -> None:
    """Check that an initialisation from the base weights finds linear layers with at least `r` singular directions."""
    initialisation = f"init_lora_weights {config.init_lora_weights}"
    if not takes_from_base(str(config.init_lora_weights)):
        return
    linear = config.target_modules == "all-linear"
    for name, module in linear_layers(model) if linear else model.named_modules():
        if not linear and not check_target_module_exists(config, name):
            continue
        if not isinstance(module, nn.Linear):
            kind = type(module).__name__
            raise UserError(
                f"{initialisation} needs linear layers, but {name} is a {kind}; use `true` or other target_modules"
            )
        if config.r > min(module.weight.shape):
            raise UserError(
                f"{initialisation}: rank is {config.r}, but the weight of {name} allows at most "
                f"{min(module.weight.shape)}; lower the rank or use `true`"
            )


@dataclass(frozen=True)
class ModulesToSave:
    """Modules that are fully trained alongside the adapter.

    Attributes:
        names: Full names, sorted.
        tied: Whether peft must keep a weight tied that these modules share with others.
    """

    names: list[str]
    tied: bool


def find_modules_to_save(model: nn.Module, endings: list[str]) -> ModulesToSave:
    """Find the modules that `modules_to_save` names by full name or by the end of it.

    Of modules that share one weight (an output layer tied to the embedding) the embedding represents all.

    Raises:
        AdapterProblem: `adapter.no_target_modules` if a name matches no module or peft could not keep a weight tied.
    """
    modules = {name: module for name, module in model.named_modules() if name}
    chosen: set[str] = set()
    for ending in endings:
        matches = [
            name for name, module in modules.items() if f".{name}".endswith(f".{ending}") and _has_weights(module)
        ]
        if not matches:
            available = sorted(
                {name.rpartition(".")[2] for name, module in modules.items() if _has_own_weights(module)}
            )
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"modules_to_save {ending!r} matches no module with weights; the model has {', '.join(available)}",
            )
        chosen |= set(matches)
    shared = _modules_with_shared_weights(modules, chosen)
    if not shared:
        return ModulesToSave(sorted(chosen), tied=False)
    embeddings = [name for name in shared if name.rpartition(".")[2] == TIED_EMBEDDING]
    if len(embeddings) != 1 or not chosen & set(shared):
        raise AdapterProblem(
            "adapter.no_target_modules",
            f"modules_to_save: {' and '.join(shared)} share one weight and cannot be trained together; remove the "
            "modules that contain them",
        )
    return ModulesToSave(sorted(chosen - set(shared) | set(embeddings)), tied=True)


def _modules_with_shared_weights(modules: dict[str, nn.Module], chosen: set[str]) -> list[str]:
    """All modules that share a weight with each other, where at least one of them is a chosen module or inside one."""
    by_weight: dict[int, list[str]] = {}
    for name, module in modules.items():
        weight = getattr(module, "weight", None)
        if weight is not None:
            by_weight.setdefault(id(weight), []).append(name)
    return sorted(
        name
        for names in by_weight.values()
        if len(names) > 1 and any(f"{name}.".startswith(f"{outer}.") for name in names for outer in chosen)
        for name in names
    )


def _has_weights(module: nn.Module) -> bool:
    return not isinstance(module, nn.ModuleList | nn.ModuleDict) and any(True for _ in module.parameters())


def _has_own_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
