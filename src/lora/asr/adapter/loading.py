"""Load a finished adapter into a freshly loaded model, without ever failing silently: stage 2 of the effect ladder.

An adapter folder holds `adapter_config.json`, `adapter_model.safetensors` and, where this software trained it,
`lora_provenance.json` with the hash of the base model. Other tools' folders are read as well; pickles are not. As in
peft, tensors of the file that name a parameter of the model itself (an embedding, a bias) replace it. Imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from peft import PeftConfig, PeftModel
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, nn

from lora.asr.adapter.attach import ADAPTER, adapted_modules, modules_by_group, without_peft_warnings
from lora.asr.adapter.files import CONFIG, AdapterFiles, AdapterProblem, read_adapter
from lora.asr.families.speech_model import SpeechModel, first_line
from lora.asr.model_files import ModelFiles
from lora.records.effect import FileStage, LoadStage

# What other ways of saving do to the names of tensors, by what they leave in them.
RENAMED = {
    ".default.": "an adapter's name in them: saved by `state_dict()`, not by `save_pretrained()`",
    "module.": "the prefix of a parallel training: saved from its wrapper, not from the model inside",
    "_orig_mod.": "the prefix of a compiled model: saved from its wrapper, not from the model inside",
}
COMMIT = re.compile(r"[0-9a-f]{7,40}")
SNAPSHOT = re.compile(r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)[/\\]snapshots[/\\](?P<commit>[0-9a-f]{40})")


@dataclass(frozen=True)
class LoadedAdapter:
    """An adapter in its model: what its files held, and what of it the model took."""

    model: PeftModel
    files: AdapterFiles
    file_stage: FileStage
    load_stage: LoadStage


def load_adapter(speech: SpeechModel, folder: Path | str, whatever_fits: bool = False) -> LoadedAdapter:
    """Attach a finished adapter to a freshly loaded model, in evaluation mode, and check that it truly arrived.

    `speech.model` becomes the wrapped model. Tensors that fit are loaded even where others are missing; the stage says
    so. Raises UserError for a missing folder, AdapterProblem `adapter.not_loaded`, `adapter.not_finite` or
    `adapter.base_mismatch` (shapes of another model). With `whatever_fits` the last two are no reason to stop as long
    as one LoRA tensor fits: the stages tell of them.
    """
    files = read_adapter(folder)
    stage = files.stage()
    if not stage.finite and not whatever_fits:
        raise AdapterProblem("adapter.not_finite", f"{folder}: tensors hold values that are not finite", stage)
    if len(stage.other_tensors) == stage.tensors:
        example = f", such as {stage.other_tensors[0]}: a model was saved as an adapter" if stage.other_tensors else ""
        message = f"{folder}: none of its {stage.tensors} tensors is a LoRA matrix{example}"
        raise AdapterProblem("adapter.not_loaded", message, stage)
    model = _wrapped(speech, files, folder, stage)
    places = _places(model, files)
    initial = {name: tensor.detach().clone() for name, tensor in places.items()}
    common = sorted(files.tensors.keys() & places.keys())
    shape_mismatches = [name for name in common if files.tensors[name].shape != places[name].shape]
    given = {name: files.tensors[name] for name in common if name not in shape_mismatches}
    # What the file lacks stays as it is; peft wants to be given all modules that were saved whole.
    set_peft_model_state_dict(model, places | given, adapter_name=ADAPTER)
    model.eval()
    held = _places(model, files)
    loaded = [name for name, value in given.items() if _equal(held[name].cpu(), value.to(held[name].dtype))]
    missing = sorted(places.keys() - set(loaded))
    matches, evidence = base_evidence(
        files, speech.files, any(not _only_rank(n, files, places) for n in shape_mismatches)
    )
    states = list(adapted_modules(model).values())
    load_stage = LoadStage(
        tensors_in_file=len(files.tensors),
        tensors_loaded=len(loaded),
        missing_keys=missing,
        unexpected_keys=sorted(files.tensors.keys() - places.keys()),
        active=bool(states) and all(list(s.active_adapters) == [ADAPTER] and not s.disable_adapters for s in states),
        base_matches=matches,
        base_evidence=evidence,
        base_trained_on=files.config.get("base_model_name_or_path"),
        modules_by_group=modules_by_group(model),
        shape_mismatches=shape_mismatches,
        missing_random=[name for name in missing if ".lora_" in name and bool(initial[name].any())],
        missing_zero=[name for name in missing if ".lora_" in name and not bool(initial[name].any())],
        other_tensors_changed=[n for n in loaded if ".lora_" not in n and not _equal(initial[n], held[n])],
        active_adapters=sorted({name for state in states for name in state.active_adapters}),
        merged_adapters=sorted({name for state in states for name in state.merged_adapters}),
        model_folder_adapter=(speech.files.path / CONFIG).is_file(),
        batch_norms=sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()),
    )
    _check_arrival(folder, files, places, stage, load_stage, whatever_fits)
    return LoadedAdapter(model, files, stage, load_stage)


def _wrapped(speech: SpeechModel, files: AdapterFiles, folder: Path | str, stage: FileStage) -> PeftModel:
    try:
        config = PeftConfig.from_peft_type(**{**files.config, "task_type": None, "inference_mode": True})
        with without_peft_warnings():
            model = PeftModel(speech.model, config, adapter_name=ADAPTER)
    # A configuration of another library, or one that needs data or packages that are not here.
    except (ValueError, TypeError, KeyError, AttributeError, ImportError, RuntimeError, re.error) as error:
        message = f"{folder}: {CONFIG} does not fit this model: {first_line(error)}"
        raise AdapterProblem("adapter.not_loaded", message, stage) from None
    speech.model = model
    return model


def _places(model: PeftModel, files: AdapterFiles) -> dict[str, Tensor]:
    """The adapter's own tensors in the model, by their names in files, and parameters of the model the file names."""
    expected: dict[str, Tensor] = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    whole = model.state_dict()
    return expected | {name: whole[name] for name in files.tensors if name in whole and ".lora_" not in name}


def _equal(first: Tensor, second: Tensor) -> bool:
    """Whether all values are the same; what is no number equals itself."""
    return torch.allclose(first.float(), second.float(), rtol=0, atol=0, equal_nan=True)


def _check_arrival(
    folder: Path | str,
    files: AdapterFiles,
    places: dict[str, Tensor],
    stage: FileStage,
    load_stage: LoadStage,
    whatever_fits: bool,
) -> None:
    """Raises where no LoRA tensor found its place, or (without `whatever_fits`) where one has another shape."""
    lora = [name for name in files.tensors if ".lora_" in name]
    placed = [name for name in lora if name in places]
    if not placed:
        ours = next((name for name in sorted(places) if ".lora_" in name), "none")
        message = (
            f"{folder}: none of its {len(files.tensors)} tensors has a place in the model "
            f"(it holds {min(lora)}; the model expects {ours})"
        )
        renamed = next((f"; names carry {why}" for mark, why in RENAMED.items() if _renamed(mark, lora, places)), "")
        raise AdapterProblem("adapter.not_loaded", message + renamed, stage, load_stage)
    if not load_stage.shape_mismatches or (whatever_fits and set(placed) - set(load_stage.shape_mismatches)):
        return
    name = next(
        (n for n in load_stage.shape_mismatches if not _only_rank(n, files, places)), load_stage.shape_mismatches[0]
    )
    shapes = (
        f"{folder}: {name} has shape {list(files.tensors[name].shape)}, this model needs {list(places[name].shape)}"
    )
    if _only_rank(name, files, places):
        raise AdapterProblem("adapter.not_loaded", f"{shapes}: {CONFIG} names another rank", stage, load_stage)
    raise AdapterProblem("adapter.base_mismatch", f"{shapes}: trained on another model", stage, load_stage)


def _renamed(mark: str, names: list[str], places: dict[str, Tensor]) -> bool:
    return any(name.replace(mark, "." if mark.startswith(".") else "", 1) in places for name in names if mark in name)


def _only_rank(name: str, files: AdapterFiles, places: dict[str, Tensor]) -> bool:
    """Whether shapes differ in the rank alone: then the adapter's two files disagree; else it is another model's."""
    theirs, ours = files.tensors[name].shape, places[name].shape
    if ".lora_" not in name or len(theirs) != len(ours):
        return False
    rank_axis = 0 if ".lora_A" in name or ".lora_embedding_A" in name else 1
    return all(a == b for axis, (a, b) in enumerate(zip(theirs, ours, strict=True)) if axis != rank_axis)


def base_evidence(
    adapter: AdapterFiles, model: ModelFiles, shapes_differ: bool
) -> tuple[bool | None, Literal["hash", "revision", "shape"] | None]:
    """Whether the adapter was trained on this model (null: nobody can tell), and by what it is known."""
    if adapter.base_model_hash is not None:
        return adapter.base_model_hash == model.identity.hash, "hash"
    theirs = _commit(str(adapter.config.get("base_model_name_or_path") or ""), adapter.config.get("revision"))
    ours = _commit(model.identity.id, model.identity.revision) or _commit(str(model.path), None)
    if theirs and ours and theirs[0] == ours[0]:
        return theirs[1].startswith(ours[1]) or ours[1].startswith(theirs[1]), "revision"
    return (False if shapes_differ else None), "shape"


def _commit(name: str, revision: object) -> tuple[str, str] | None:
    """(hub id, commit) where both are named."""
    found = SNAPSHOT.search(name)
    if found is not None:
        return f"{found['owner']}/{found['name']}".lower(), found["commit"]
    if isinstance(revision, str) and COMMIT.fullmatch(revision):
        return name.lower(), revision
    return None
