"""Load a trained adapter into a freshly loaded model and check every tensor: stage 2 of the effect ladder.

An adapter folder contains `adapter_config.json`, `adapter_model.safetensors` and, if this software trained it,
`lora_provenance.json` with the hash of the base model. Folders of other tools are read too; pickles are not. As in
peft, a tensor that is named like a parameter of the model (an embedding, a bias) replaces it. Imports torch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from peft import LoraConfig, PeftConfig, PeftModel
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, nn

from lora.asr.adapter.attach import (
    ADAPTER,
    adapted_modules,
    linear_layers_by_group,
    modules_by_group,
    without_peft_warnings,
)
from lora.asr.adapter.files import CONFIG, AdapterFiles, read_adapter
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.settings import require_fast
from lora.asr.families.speech_model import SpeechModel, first_line
from lora.asr.model_files import ModelFiles
from lora.records.effect import FileStage, LoadStage

TOKENS = "trainable_token_indices"
USUAL = {
    "auto_mapping", "base_model_name_or_path", "bias", "inference_mode", "lora_alpha", "lora_dropout", "peft_type",
    "peft_version", "r", "revision", "target_modules", "task_type",
}  # fmt: skip
TWICE_WRAPPED = "base_model.model.base_model.model."
# How other ways of saving rename tensors, by the text that they add to names.
RENAMED = {
    ".default.": "the adapter name: saved by `state_dict()`, not by `save_pretrained()`",
    "module.": "the prefix of distributed training: saved from the wrapper, not from the wrapped model",
    TWICE_WRAPPED: "`base_model.model.` twice: a wrapped model was wrapped again before saving",
    "_orig_mod.": "the prefix of a compiled model: saved from the wrapper, not from the wrapped model",
    "_fsdp_wrapped_module.": "the prefix of FSDP: saved from the wrapper, not from the wrapped model",
    "_checkpoint_wrapped_module.": "the prefix of activation checkpointing: saved with its wrappers in the model",
}
# Tensors with a row for each token: weights and biases of embedding and output layers, also as peft wraps them (whole
# layers saved, the layer below a LoRA), and the LoRA matrix on the side of the vocabulary.
VOCABULARY = re.compile(
    r"\.(embed_tokens|proj_out|lm_head|wte|word_embeddings|ctc_head)"
    r"((\.(modules_to_save|original_module|base_layer))?(\.default)?\.(weight|bias)|\.lora_(?P<matrix>B|embedding_A)\b.*)$"
)
COMMIT = re.compile(r"[0-9a-f]{7,40}")
SNAPSHOT = re.compile(r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)[/\\]snapshots[/\\](?P<commit>[0-9a-f]{40})")


@dataclass(frozen=True)
class LoadedAdapter:
    """An adapter attached to its model, with the facts of its files and of loading them."""

    model: PeftModel
    files: AdapterFiles
    file_stage: FileStage
    load_stage: LoadStage


def load_adapter(speech: SpeechModel, folder: Path | str, whatever_fits: bool = False) -> LoadedAdapter:
    """Attach a trained adapter to a freshly loaded model, in evaluation mode, and check which tensors were loaded.

    `speech.model` becomes the wrapped model. Tensors that fit are loaded even if others are missing; `load_stage` lists
    the missing ones.

    Args:
        speech: The base model.
        folder: The adapter folder.
        whatever_fits: Load values that are not finite and skip tensors of other shapes instead of raising, if at least
            one LoRA tensor fits; the stages list both.

    Raises:
        UserError: The folder does not exist.
        AdapterProblem: `adapter.not_loaded`, `adapter.not_finite` or `adapter.base_mismatch` (shapes of another model).
    """
    files = read_adapter(folder)
    stage = files.stage()
    if not stage.finite and not whatever_fits:
        raise AdapterProblem("adapter.not_finite", f"{folder}: tensors contain values that are not finite", stage)
    if len(stage.other_tensors) == stage.tensors:
        example = f", such as {stage.other_tensors[0]}: a model was saved as an adapter" if stage.other_tensors else ""
        message = f"{folder}: none of its {stage.tensors} tensors is a LoRA matrix{example}"
        raise AdapterProblem("adapter.not_loaded", message, stage)
    model = _wrapped(speech, files, folder, stage)
    places = _places(model, files)
    initial = {name: tensor.detach().clone() for name, tensor in places.items()}
    common = sorted(files.tensors.keys() & places.keys())
    shape_mismatches = [name for name in common if files.tensors[name].shape != places[name].shape]
    resized = [name for name in shape_mismatches if _only_vocabulary(name, files, places)]
    fitting = {name: files.tensors[name] for name in common if name not in shape_mismatches}
    # Tensors that the file lacks stay unchanged; peft requires a value for every module in modules_to_save.
    set_peft_model_state_dict(model, places | fitting, adapter_name=ADAPTER)
    model.eval()
    current = _places(model, files)
    loaded = [name for name, value in fitting.items() if _equal(current[name].cpu(), value.to(current[name].dtype))]
    missing = sorted(places.keys() - set(loaded))
    matches, evidence = base_evidence(
        files, speech.files, any(not _only_rank(n, files, places) for n in set(shape_mismatches) - set(resized))
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
        resized=resized,
        added_tokens=max((_added_tokens(name, files, places) for name in resized), default=None),
        groups_of_model=linear_layers_by_group(model),
        missing_random=[name for name in missing if ".lora_" in name and bool(initial[name].any())],
        missing_zero=[name for name in missing if ".lora_" in name and not bool(initial[name].any())],
        other_tensors_changed=[n for n in loaded if ".lora_" not in n and not _equal(initial[n], current[n])],
        active_adapters=sorted({name for state in states for name in state.active_adapters}),
        merged_adapters=sorted({name for state in states for name in state.merged_adapters}),
        model_folder_adapter=(speech.files.path / CONFIG).is_file(),
        batch_norms=sum(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in model.modules()),
    )
    _check_loaded(folder, files, places, stage, load_stage, whatever_fits)
    return LoadedAdapter(model, files, stage, load_stage)


def _wrapped(speech: SpeechModel, files: AdapterFiles, folder: Path | str, stage: FileStage) -> PeftModel:
    require_fast(files.config, [name for name, _ in speech.model.named_modules()], Path(folder) / CONFIG)
    try:
        config = PeftConfig.from_peft_type(**{**files.config, "task_type": None, "inference_mode": True})
        with without_peft_warnings():
            model = PeftModel(speech.model, config, adapter_name=ADAPTER)
    except MemoryError:
        raise
    # A configuration of another library, one that needs data or packages that are not here, or nonsense.
    except Exception as error:
        key = ""
        if isinstance(error, IndexError) and files.config.get(TOKENS):
            key = f" ({TOKENS})"
        elif isinstance(error, re.error):
            key = f" in the expression {error.pattern!r:.60}"
        elif unusual := _unusual_settings(files.config):
            key = f" (unusual settings: {', '.join(unusual)})"
        message = f"{folder}: {CONFIG} does not fit this model: {first_line(error)}{key}"
        raise AdapterProblem("adapter.not_loaded", message, stage) from None
    speech.model = model
    return model


def _unusual_settings(config: dict[str, Any]) -> list[str]:
    """The settings that can be the reason of an error of peft: those that few adapters have."""
    defaults = LoraConfig().to_dict()
    names = sorted(name for name in config if name in defaults and name not in USUAL)
    return [f"{name} {config[name]!r:.40}" for name in names if config[name] != defaults[name]]


def _places(model: PeftModel, files: AdapterFiles) -> dict[str, Tensor]:
    """Tensors in the model that the file can set, by their names in files: the adapter's and replaced parameters."""
    expected: dict[str, Tensor] = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    parameters = model.state_dict()
    return expected | {name: parameters[name] for name in files.tensors if name in parameters and ".lora_" not in name}


def _equal(first: Tensor, second: Tensor) -> bool:
    """Whether all values are equal; NaN equals NaN."""
    return torch.allclose(first.float(), second.float(), rtol=0, atol=0, equal_nan=True)


def _check_loaded(
    folder: Path | str,
    files: AdapterFiles,
    places: dict[str, Tensor],
    stage: FileStage,
    load_stage: LoadStage,
    whatever_fits: bool,
) -> None:
    """Raise AdapterProblem if no LoRA tensor was loaded or, without `whatever_fits`, if a tensor has another shape."""
    lora = [name for name in files.tensors if ".lora_" in name]
    placed = [name for name in lora if name in places]
    if not placed:
        ours = next((name for name in sorted(places) if ".lora_" in name), "none")
        message = (
            f"{folder}: none of its {len(files.tensors)} tensors matches a tensor of the model "
            f"(it contains {min(lora)}; the model expects {ours})"
        )
        renamed = next(
            (f"; tensor names contain {why}" for mark, why in RENAMED.items() if _renamed(mark, lora, places)), ""
        )
        remedy = "Save the adapter of the unwrapped model with `save_pretrained()`." if renamed else None
        raise AdapterProblem("adapter.not_loaded", message + renamed, stage, load_stage, remedy)
    if not load_stage.shape_mismatches or (whatever_fits and set(placed) - set(load_stage.shape_mismatches)):
        return
    other_kind = [n for n in load_stage.shape_mismatches if n not in load_stage.resized] or load_stage.shape_mismatches
    name = next((n for n in other_kind if not _only_rank(n, files, places)), other_kind[0])
    shapes = (
        f"{folder}: {name} has shape {list(files.tensors[name].shape)}, this model needs {list(places[name].shape)}"
    )
    if set(load_stage.shape_mismatches) == set(load_stage.resized):
        raise AdapterProblem("adapter.not_loaded", f"{shapes}: its vocabulary was resized", stage, load_stage)
    if _only_rank(name, files, places):
        rank = files.tensors[name].shape[_rank_axis(name)]
        remedy = f"Set `r` in {CONFIG} to {rank}, the rank of the matrices, or take both files from one training."
        raise AdapterProblem("adapter.not_loaded", f"{shapes}: {CONFIG} has another rank", stage, load_stage, remedy)
    raise AdapterProblem("adapter.base_mismatch", f"{shapes}: trained on another model", stage, load_stage)


def _only_vocabulary(name: str, files: AdapterFiles, places: dict[str, Tensor]) -> bool:
    """Whether a tensor of an embedding or output layer differs in the size of the vocabulary alone."""
    theirs = files.tensors[name].shape
    ours = places[name].shape
    if VOCABULARY.search(name) is None or len(theirs) != len(ours):
        return False
    axis = _vocabulary_axis(name)
    return all(a == b for number, (a, b) in enumerate(zip(theirs, ours, strict=True)) if number != axis)


def _added_tokens(name: str, files: AdapterFiles, places: dict[str, Tensor]) -> int:
    axis = _vocabulary_axis(name)
    return files.tensors[name].shape[axis] - places[name].shape[axis]


def _vocabulary_axis(name: str) -> int:
    """The axis of a vocabulary tensor that counts tokens: the second of lora_embedding_A, the first of all others."""
    match = VOCABULARY.search(name)
    return 1 if match is not None and match["matrix"] == "embedding_A" else 0


def _renamed(mark: str, names: list[str], places: dict[str, Tensor]) -> bool:
    kept = {".default.": ".", TWICE_WRAPPED: "base_model.model."}.get(mark, "")
    return any(name.replace(mark, kept, 1) in places for name in names if mark in name)


def _only_rank(name: str, files: AdapterFiles, places: dict[str, Tensor]) -> bool:
    """Whether the shapes differ only in the rank: the adapter's two files disagree, and the base model may be right."""
    theirs = files.tensors[name].shape
    ours = places[name].shape
    if ".lora_" not in name or len(theirs) != len(ours):
        return False
    return all(a == b for axis, (a, b) in enumerate(zip(theirs, ours, strict=True)) if axis != _rank_axis(name))


def _rank_axis(name: str) -> int:
    return 0 if ".lora_A" in name or ".lora_embedding_A" in name else 1


def base_evidence(
    adapter: AdapterFiles, model: ModelFiles, shapes_differ: bool
) -> tuple[bool | None, Literal["hash", "revision", "shape"] | None]:
    """Whether the adapter was trained on this model (None: unknown), and the evidence that decides it."""
    if adapter.base_model_hash is not None:
        return adapter.base_model_hash == model.identity.hash, "hash"
    theirs = _commit(str(adapter.config.get("base_model_name_or_path") or ""), adapter.config.get("revision"))
    ours = _commit(model.identity.id, model.identity.revision) or _commit(str(model.path), None)
    if theirs and ours and theirs[0] == ours[0]:
        return theirs[1].startswith(ours[1]) or ours[1].startswith(theirs[1]), "revision"
    return (False if shapes_differ else None), "shape"


def _commit(name: str, revision: object) -> tuple[str, str] | None:
    """Hub id and commit, or None if either is missing."""
    snapshot = SNAPSHOT.search(name)
    if snapshot is not None:
        return f"{snapshot['owner']}/{snapshot['name']}".lower(), snapshot["commit"]
    if isinstance(revision, str) and COMMIT.fullmatch(revision):
        return name.lower(), revision
    return None
