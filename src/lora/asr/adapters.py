"""LoRA adapters: made from settings, attached to a model, written canonically, loaded without ever failing silently.

An adapter folder holds `adapter_config.json`, `adapter_model.safetensors` and, where this software trained it,
`lora_provenance.json` with the hash of the base model. Other tools' folders are read as well; pickles are not.
`AdapterProblem` is a condition with a cause code (see the verdict's cause codes), not a failure of the command.
Imports torch.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from peft.tuners.tuners_utils import check_target_module_exists
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor, nn

from lora.asr.adapter_files import CONFIG, AdapterFiles, AdapterProblem, read_adapter
from lora.asr.families import SpeechModel
from lora.records import FileRung, LoadRung

ATTENTION_AND_MLP = ("q_proj", "k_proj", "v_proj", "o_proj", "out_proj", "fc1", "fc2")
ADAPTER = "default"
INITIALISATIONS: dict[str, bool] = {"true": True, "false": False}  # all others are peft's names


@dataclass(frozen=True)
class LoadedAdapter:
    """An adapter in its model: what its files held, and what of it the model took."""

    model: PeftModel
    files: AdapterFiles
    file_rung: FileRung
    load_rung: LoadRung


def target_modules(model: nn.Module, setting: str) -> list[str] | str:
    """What `--target-modules` means for a model: `auto`, `all-linear`, names with commas, or a regular expression.

    `auto` is every attention projection and both MLP layers, in encoder and decoder, by the names the model has.
    """
    if setting == "auto":
        last_names = {name.rpartition(".")[2] for name, _ in linear_layers(model)}
        return sorted(last_names & set(ATTENTION_AND_MLP))
    if setting == "all-linear" or re.search(r"[*+?()\[\]{}|^$\\]", setting):
        return setting
    return sorted({name.strip() for name in setting.split(",") if name.strip()})


def linear_layers(model: nn.Module) -> Iterator[tuple[str, nn.Linear]]:
    return ((name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear))


def lora_config(model: nn.Module, settings: Mapping[str, Any], model_id: str) -> LoraConfig:
    """The peft configuration of training settings (keys as the runner's flags).

    No task type: the one for sequence-to-sequence models renames inputs to `input_ids`, which speech models lack.
    Raises AdapterProblem `adapter.no_target_modules`, saying what the model offers.
    """
    setting = str(settings["target_modules"])
    initialisation: Any = str(settings["init_lora_weights"])
    config = LoraConfig(
        r=settings["rank"],
        lora_alpha=settings["alpha"],
        lora_dropout=settings["dropout"],
        target_modules=target_modules(model, setting),
        use_dora=settings["use_dora"],
        use_rslora=settings["use_rslora"],
        init_lora_weights=INITIALISATIONS.get(initialisation.lower(), initialisation),
        base_model_name_or_path=model_id,
    )
    offered = _offered(model)
    if setting != "all-linear":
        try:
            matched = any(check_target_module_exists(config, name) for name, _ in model.named_modules() if name)
        except re.error as error:
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} is not a regular expression ({error}); the model offers {offered}",
            ) from None
        if not matched:
            raise AdapterProblem(
                "adapter.no_target_modules",
                f"target_modules {setting!r} match no module of the model, which offers {offered}",
            )
    return config


def attach(speech: SpeechModel, config: PeftConfig) -> PeftModel:
    """Put a fresh adapter into the model (trainable), in place; `speech.model` becomes the wrapped model."""
    try:
        with _quiet():
            model = get_peft_model(speech.model, config)
    except ValueError as error:  # modules peft cannot adapt, such as a normalisation
        message = f"{_first_line(error)} The model offers {_offered(speech.model)}"
        raise AdapterProblem("adapter.no_target_modules", message) from None
    speech.model = model
    return model


@contextmanager
def _quiet() -> Iterator[None]:
    """Without two warnings that tell a person nothing: peft using what transformers will remove, and renaming the base
    model in its configuration to where it was read from (what is written names it as the person did).
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
        warnings.filterwarnings("ignore", message="The PEFT config's `base_model_name_or_path`")
        yield


def _offered(model: nn.Module) -> str:
    """Last names of the linear layers, each once."""
    return ", ".join(sorted({name.rpartition(".")[2] for name, _ in linear_layers(model)} - {"base_layer"}))


def adapted_modules(model: nn.Module) -> dict[str, Any]:
    """Adapted layers by their name in the base model, sorted by name."""
    layers = {
        name.removeprefix("base_model.model."): module
        for name, module in model.named_modules()
        if hasattr(module, "lora_A") and hasattr(module, "base_layer")
    }
    return dict(sorted(layers.items()))


def part_of(name: str) -> str:
    """Part of an encoder-decoder model a module belongs to: encoder, decoder_self, cross, mlp (decoder's) or other."""
    path = f".{name}."
    if ".encoder." in path:
        return "encoder"
    if ".decoder." not in path:
        return "other"
    if re.search(r"\.(encoder_attn|cross_attn|encoder_decoder_attention)\.", path):
        return "cross"
    if re.search(r"\.(self_attn|self_attention)\.", path):
        return "decoder_self"
    return "mlp" if re.search(r"\.(mlp|ffn|feed_forward|fc\d)\.", path) else "other"


def modules_by_part(model: nn.Module) -> dict[str, int]:
    return dict(sorted(Counter(part_of(name) for name in adapted_modules(model)).items()))


def load_adapter(speech: SpeechModel, folder: Path | str) -> LoadedAdapter:
    """Attach a finished adapter to a freshly loaded model, in evaluation mode, and check that it truly arrived.

    `speech.model` becomes the wrapped model. Tensors that fit are loaded even where others are missing; the rung says
    so. Raises UserError for a missing folder, AdapterProblem `adapter.not_loaded`, `adapter.not_finite` or
    `adapter.base_mismatch` (shapes of another model).
    """
    files = read_adapter(folder)
    rung = files.rung()
    if not rung.finite:
        raise AdapterProblem("adapter.not_finite", f"{folder}: tensors hold values that are not finite", rung)
    try:
        config = PeftConfig.from_peft_type(**{**files.config, "task_type": None, "inference_mode": True})
        with _quiet():
            model = PeftModel(speech.model, config, adapter_name=ADAPTER)
    except (ValueError, TypeError, KeyError, re.error) as error:
        message = f"{folder}: {CONFIG} does not fit this model: {_first_line(error)}"
        raise AdapterProblem("adapter.not_loaded", message, rung) from None
    speech.model = model
    expected = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    common = sorted(files.tensors.keys() & expected.keys())
    if not common:
        theirs, ours = next(iter(sorted(files.tensors)), "no tensor"), next(iter(sorted(expected)), "none")
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{folder}: none of its {len(files.tensors)} tensors has a place in the model "
            f"(it holds {theirs}; the model expects {ours})",
            rung,
        )
    _check_shapes(folder, {name: (files.tensors[name], expected[name]) for name in common}, rung)
    # What the file lacks stays as it is; peft wants to be given all modules that were saved whole.
    given = expected | {name: files.tensors[name] for name in common}
    set_peft_model_state_dict(model, given, adapter_name=ADAPTER)
    model.eval()
    held = get_peft_model_state_dict(model, adapter_name=ADAPTER, save_embedding_layers=False)
    loaded = [name for name in common if torch.equal(held[name].cpu(), files.tensors[name].to(held[name].dtype))]
    recorded = files.base_model_hash
    return LoadedAdapter(
        model,
        files,
        rung,
        LoadRung(
            tensors_in_file=len(files.tensors),
            tensors_loaded=len(loaded),
            missing_keys=sorted(expected.keys() - set(loaded)),
            unexpected_keys=sorted(files.tensors.keys() - expected.keys()),
            active=_is_active(model),
            base_matches=None if recorded is None else recorded == speech.files.identity.hash,
            base_trained_on=files.config.get("base_model_name_or_path"),
            modules_by_part=modules_by_part(model),
        ),
    )


def _check_shapes(folder: Path | str, pairs: dict[str, tuple[Tensor, Tensor]], rung: FileRung) -> None:
    """Raises where shapes differ: in the rank the adapter's two files disagree, in all else it is another model's."""
    for name, (theirs, ours) in pairs.items():
        if theirs.shape == ours.shape:
            continue
        shapes = f"{folder}: {name} has shape {list(theirs.shape)}, this model needs {list(ours.shape)}"
        rank_axis = 0 if "lora_A" in name else 1
        only_rank = theirs.ndim == ours.ndim and all(
            a == b for axis, (a, b) in enumerate(zip(theirs.shape, ours.shape, strict=True)) if axis != rank_axis
        )
        if only_rank and "lora_" in name:
            raise AdapterProblem("adapter.not_loaded", f"{shapes}: {CONFIG} names another rank", rung)
        raise AdapterProblem("adapter.base_mismatch", f"{shapes}: trained on another model", rung)


def _is_active(model: PeftModel) -> bool:
    layers = adapted_modules(model).values()
    return bool(layers) and all(
        ADAPTER in layer.active_adapters and not layer.disable_adapters and not layer.merged for layer in layers
    )


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)


__all__ = [
    "AdapterProblem", "LoadedAdapter", "adapted_modules", "attach", "load_adapter", "lora_config", "modules_by_part",
    "part_of", "target_modules",
]  # fmt: skip
