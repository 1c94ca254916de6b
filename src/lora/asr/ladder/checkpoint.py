"""Compare the weights of a tuned checkpoint with its base model's, tensor by tensor, without loading either model.

Two safetensors folders are read in parallel, one tensor of each at a time. A tensor that only one folder contains is
listed unless it is a copy of another tensor of that folder (a tied output layer may be saved or not). Imports torch.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lora.asr.adapter.module_groups import module_group
from lora.asr.model_files import OWN_ADAPTER, SHARDS, TEXT_FILES, ModelFiles, weight_files
from lora.asr.model_json import UnusableModel
from lora.provenance.hashes import file_hash
from lora.records.effect import CheckpointStage, EffectFacts, ModuleDelta

UNMERGED = (".lora_A", ".lora_B", ".lora_magnitude_vector", ".base_layer.")


class Weights:
    """The tensors of a model folder by name, read on demand."""

    def __init__(self, files: ModelFiles, stack: ExitStack) -> None:
        self._places: dict[str, tuple[Any, str]] = {}
        paths = weight_files(files.path, files.identity.id)
        if files.config.get("has_lora_adapter") and (files.path / OWN_ADAPTER).is_file():
            paths.append(files.path / OWN_ADAPTER)  # part of the model
        for path in paths:
            if path.name == SHARDS:
                continue
            try:
                opened = stack.enter_context(safe_open(path, framework="pt"))
            except (SafetensorError, OSError) as error:
                raise UnusableModel(f"model {files.identity.id}: {path.name} cannot be read: {error}") from None
            prefix = f"{OWN_ADAPTER}: " if path.name == OWN_ADAPTER else ""
            self._places |= {prefix + _present_name(name): (opened, name) for name in opened.keys()}  # noqa: SIM118
        self.names = sorted(self._places)

    def named_like(self, others: list[str]) -> None:
        """Give all names the prefix of the others, where none is in common and they differ in a prefix alone.

        transformers adds and removes `model.` when it loads a folder; wrappers (`_orig_mod.`) leave other prefixes.
        """
        if not self.names or not others or not self._places.keys().isdisjoint(others):
            return
        surplus = _prefix(self.names, others[-1])
        lacking = _prefix(others, self.names[-1])
        self._places = {lacking + name.removeprefix(surplus): place for name, place in self._places.items()}
        self.names = sorted(self._places)

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def shape(self, name: str) -> list[int]:
        opened, stored = self._places[name]
        return list(opened.get_slice(stored).get_shape())

    def read(self, name: str) -> Tensor:
        opened, stored = self._places[name]
        tensor: Tensor = opened.get_tensor(stored)
        return tensor

    def copies(self, name: str) -> bool:
        """Whether another tensor of the folder has the same values: a tied weight that was saved twice."""
        shape = self.shape(name)
        twins = (other for other in self.names if other != name and self.shape(other) == shape)
        return len(shape) > 1 and any(torch.equal(self.read(name), self.read(other)) for other in twins)


def _prefix(names: list[str], end: str) -> str:
    """What one of the names has before `end`; empty if none ends so."""
    return next((name.removesuffix(end) for name in names if name.endswith(f".{end}")), "")


def _present_name(name: str) -> str:
    """The torch 2 name of a tensor; older libraries save weight normalisation under other names."""
    for old, new in (
        (".weight_g", ".parametrizations.weight.original0"),
        (".weight_v", ".parametrizations.weight.original1"),
    ):
        if name.endswith(old):
            return name.removesuffix(old) + new
    return name


def compare_weights(run: str, base: ModelFiles, tuned: ModelFiles) -> EffectFacts:
    """Compare names, shapes and values of the tensors of two model folders.

    Raises:
        UnusableModel: A file cannot be read.
    """
    with ExitStack() as stack:
        before = Weights(base, stack)
        after = Weights(tuned, stack)
        after.named_like(before.names)
        common = [name for name in after.names if name in before]
        reshaped = [name for name in common if before.shape(name) != after.shape(name)]
        shared = [name for name in common if name not in set(reshaped)]
        comparisons = [_compared(name, before.read(name), after.read(name)) for name in shared]
        stage = CheckpointStage(
            base_type=str(base.config.get("model_type")),
            tuned_type=str(tuned.config.get("model_type")),
            tensors=len(after.names),
            shared=len(shared),
            changed=[name for name, (changed, _, _) in zip(shared, comparisons, strict=True) if changed],
            rounded=sum(rounded for _, rounded, _ in comparisons),
            reshaped=reshaped,
            only_base=list(_only_in(before, after)),
            only_tuned=list(_only_in(after, before)),
            unmerged=[
                name
                for name in after.names
                if any(part in name for part in UNMERGED) and not name.startswith(OWN_ADAPTER)
            ],
            non_finite=[name for name in after.names if not bool(after.read(name).isfinite().all())],
            other_files=_other_files(base.path, tuned.path),
            base_tokenizer=tuned.tokenizer_path is not None,
        )
    weights = [delta for _, _, delta in comparisons if delta is not None]
    norms = [delta.relative_norm for delta in weights if delta.relative_norm]
    median = statistics.median(norms) if norms else None
    return EffectFacts(run=run, checkpoint=stage, weights=weights, median_relative_norm=median, median_change=median)


def _compared(name: str, before: Tensor, after: Tensor) -> tuple[bool, bool, ModuleDelta | None]:
    """Whether a tensor changed beyond its data type, whether it was only rounded, and for a matrix its delta."""
    rounded = before.dtype != after.dtype and not torch.equal(before.double(), after.double())
    same = torch.equal(before.to(after.dtype), after) or torch.equal(before, after.to(before.dtype))
    delta = None
    if after.dim() > 1:
        delta = _delta(name, before.double(), after.double(), same)
    return not same, same and rounded, delta


def _delta(name: str, before: Tensor, after: Tensor, same: bool) -> ModuleDelta:
    base = float(torch.linalg.vector_norm(before))
    norm = 0.0 if same else float(torch.linalg.vector_norm(after - before))
    finite = math.isfinite(norm)
    module = name.removesuffix(".weight")
    relative = norm / base if finite and 0 < base < math.inf else None
    return ModuleDelta(
        name=module,
        module_group=module_group(module),
        delta_norm=norm if finite else None,
        base_norm=base if math.isfinite(base) else None,
        relative_norm=relative,
        stable_rank=None,
        change=relative,
    )


def _only_in(here: Weights, there: Weights) -> Iterator[str]:
    """Names that `here` has and `there` lacks, without tied copies."""
    return (name for name in here.names if name not in there and not here.copies(name))


def _other_files(base: Path, tuned: Path) -> list[str]:
    """Files of tokenizer and feature extractor that are in both folders with different bytes."""
    both = [name for name in sorted(TEXT_FILES) if (base / name).is_file() and (tuned / name).is_file()]
    return [name for name in both if file_hash(base / name) != file_hash(tuned / name)]
