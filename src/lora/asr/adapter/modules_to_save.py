"""Modules that are trained whole beside an adapter (`modules_to_save`): found by name, tied weights kept tied.

Imports torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from lora.asr.adapter.files import AdapterProblem

TIED_EMBEDDING = "embed_tokens"  # the name by which peft knows an embedding whose tie it can keep


@dataclass(frozen=True)
class ModulesToSave:
    """Full names of modules, sorted; `tied`: peft trains what shares a weight with them as one with them."""

    names: list[str]
    tied: bool


def find_modules_to_save(model: nn.Module, wanted: list[str]) -> ModulesToSave:
    """The modules that names or endings of names mean, as peft's configuration takes them.

    Of modules with one weight (an output layer tied to the embedding) the embedding stands for all of them. Raises
    AdapterProblem `adapter.no_target_modules` for a name that means nothing here, and where peft could not keep a tie.
    """
    named = {name: module for name, module in model.named_modules() if name}
    chosen: set[str] = set()
    for ending in wanted:
        found = [name for name, module in named.items() if f".{name}".endswith(f".{ending}") and _has_weights(module)]
        if not found:
            offered = sorted({name.rpartition(".")[2] for name, module in named.items() if _has_own_weights(module)})
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"modules_to_save {ending!r} is no module with weights of the model, which offers {', '.join(offered)}",
            )
        chosen |= set(found)
    shared = _shared_weights(named, chosen)
    if not shared:
        return ModulesToSave(sorted(chosen), tied=False)
    embeddings = [name for name in shared if name.rpartition(".")[2] == TIED_EMBEDDING]
    if len(embeddings) != 1 or not chosen & set(shared):
        raise AdapterProblem(
            "adapter.no_target_modules",
            f"modules_to_save: {' and '.join(shared)} share one weight and cannot be trained as one; leave out what "
            "holds them",
        )
    return ModulesToSave(sorted(chosen - set(shared) | set(embeddings)), tied=True)


def _shared_weights(named: dict[str, nn.Module], chosen: set[str]) -> list[str]:
    """All modules that share a weight with each other, at least one of them among or below the chosen."""
    by_weight: dict[int, list[str]] = {}
    for name, module in named.items():
        weight = getattr(module, "weight", None)
        if weight is not None:
            by_weight.setdefault(id(weight), []).append(name)
    return sorted(
        name
        for names in by_weight.values()
        if len(names) > 1 and any(f"{name}.".startswith(f"{whole}.") for name in names for whole in chosen)
        for name in names
    )


def _has_weights(module: nn.Module) -> bool:
    return not isinstance(module, nn.ModuleList | nn.ModuleDict) and any(True for _ in module.parameters())


def _has_own_weights(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
