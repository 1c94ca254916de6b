"""Read adapter folders (safetensors only) and write them canonically: equal weights give identical bytes.

peft stores target modules as an unordered set and the base model as the path it was loaded from. Here lists and keys
are sorted, and the base model has its configured name. The hash of the base model is in `lora_provenance.json` next to
the two files, because peft rejects unknown keys in `adapter_config.json`. Imports torch only to read and write tensors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora.asr.adapter.problem import AdapterProblem
from lora.asr.adapter.settings import check_magnitudes, check_ranks, check_settings, require_fast
from lora.asr.ladder.adapter_file import MATRIX, file_stage
from lora.asr.weights_file import weights_problem
from lora.data.json_lines import writable
from lora.records.base import UserError, write_text
from lora.records.effect import FileStage

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PROVENANCE = "lora_provenance.json"
MODEL_CONFIG = "config.json"  # of a whole model
CHECKPOINT = "checkpoint-"  # how the Trainer names the folders of a run; they are not one adapter
# Other types whose change can be merged into the base weights, and so be diagnosed as a checkpoint.
MERGEABLE = {"ADALORA", "IA3", "LOHA", "LOKR", "OFT", "BOFT", "VERA", "HRA"}


@dataclass(frozen=True)
class AdapterFiles:
    """Configuration, tensors (on the CPU, by name) and recorded base model hash (or None) of an adapter folder."""

    config: dict[str, Any]
    tensors: dict[str, Tensor]
    base_model_hash: str | None

    def stage(self) -> FileStage:
        """Stage 1 of the effect ladder."""
        return file_stage(self.config, self.tensors)


def adapter_home(folder: Path | str) -> Path:
    """The folder with the adapter's files: this one, or the only folder in it that has an adapter.

    Callbacks such as SavePeftModelCallback save into `adapter_model`, and peft saves an adapter with a name of its own
    into a folder of that name.
    """
    folder = Path(folder)
    nested = [path for path in _adapters_in(folder) if not path.name.startswith(CHECKPOINT)]
    return nested[0] if not (folder / CONFIG).is_file() and len(nested) == 1 else folder


def existing_home(folder: Path | str) -> Path:
    """`adapter_home` of a folder. Raises UserError if there is no such folder."""
    if not Path(folder).is_dir():
        raise UserError(f"adapter {folder}: no such folder")
    return adapter_home(folder)


def _adapters_in(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob(f"*/{CONFIG}"))


def read_adapter(folder: Path | str) -> AdapterFiles:
    """Read an adapter folder.

    Raises:
        UserError: The folder does not exist.
        AdapterProblem: `adapter.not_loaded` if the folder contains no usable adapter.
    """
    folder = existing_home(folder)
    config = _read_config(folder)
    tensors = _read_tensors(folder)
    check_ranks(config, tensors, folder / CONFIG)
    check_magnitudes(config, tensors, folder / CONFIG)
    require_fast(config, {name.rpartition(".lora_")[0] or name for name in tensors}, folder / CONFIG)
    return AdapterFiles(config, tensors, _read_base_hash(folder))


def missing_file(folder: Path, name: str) -> AdapterProblem:
    """The problem of a folder without a file, with what helps."""
    hint = remedy = None
    checkpoints = [path for path in folder.glob(f"{CHECKPOINT}*") if (adapter_home(path) / CONFIG).is_file()]
    inside = [path.name for path in sorted({*checkpoints, *_adapters_in(folder)}, key=_by_step)]
    pickles = sorted(path.name for path in folder.glob("*_model.bin"))
    if name == CONFIG and (folder / MODEL_CONFIG).is_file() and not inside:
        hint = "it contains the files of a whole model"
        remedy = "Give the folder as `checkpoint` instead of `adapter`."
    elif pickles:
        hint = f"{pickles[0]} is a pickle and is not read: save it as safetensors"
        remedy = "Load the adapter with the program that saved it, and save it with `save_pretrained()` as safetensors."
    elif inside:
        hint = f"it contains the adapters {', '.join(inside)}"
        remedy = f"Name one of them as `adapter`, such as {(folder / inside[-1]).as_posix()}."
    message = f"{folder}: contains no {name}" + (f"; {hint}" if hint else "")
    return AdapterProblem("adapter.not_loaded", message, remedy=remedy)


def _by_step(folder: Path) -> tuple[int, str]:
    """Checkpoints by their steps, after folders of other names."""
    step = folder.name.removeprefix(CHECKPOINT)
    return (int(step) if step.isdecimal() else -1), folder.name


def _read_config(folder: Path) -> dict[str, Any]:
    if not (folder / CONFIG).is_file():
        raise missing_file(folder, CONFIG)
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AdapterProblem("adapter.not_loaded", f"{folder / CONFIG}: cannot be read: {error}") from None
    if not writable(config):
        raise AdapterProblem(
            "adapter.not_loaded", f"{folder / CONFIG}: a value has half of a character (a lone surrogate)"
        )
    if not isinstance(config, dict) or not isinstance(config.get("peft_type"), str):
        raise AdapterProblem("adapter.not_loaded", f"{folder / CONFIG}: names no peft_type")
    if config["peft_type"] != "LORA":
        remedy = "Give transcripts of the tuned model as `hypotheses`."
        if config["peft_type"] in MERGEABLE:
            remedy = "Merge it (`merge_and_unload()`), save the model and give its folder as a `checkpoint`."
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{folder / CONFIG}: peft_type {config['peft_type']} is not supported, LORA is",
            remedy=remedy,
        )
    check_settings(config, folder / CONFIG)
    return config


def _read_tensors(folder: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    if not (folder / WEIGHTS).is_file():
        raise missing_file(folder, WEIGHTS)
    if (problem := weights_problem(folder / WEIGHTS)) is not None:
        reason, remedy = problem.split("; ")
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{folder / WEIGHTS}: {reason}",
            remedy=f"{remedy[0].upper()}{remedy[1:]}, or use an earlier checkpoint.",
        )
    try:
        tensors = load_file(folder / WEIGHTS)
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{folder / WEIGHTS}: cannot be read: {error}",
            remedy="Copy the file again from where it was saved: it is damaged or incomplete.",
        ) from None
    empty = sorted(name for name, tensor in tensors.items() if not tensor.numel())
    if empty or not tensors:
        what = (
            f"{len(empty)} of {len(tensors)} tensors are empty, such as {empty[0]}" if empty else "contains no tensor"
        )
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{folder / WEIGHTS}: {what}. DeepSpeed ZeRO-3 saves so where the parameters were not gathered",
            remedy="Save the adapter again with its parameters gathered (`trainer.save_model()` with "
            "`stage3_gather_16bit_weights_on_model_save: true`), or restore them from the `global_step` folder of the "
            "checkpoint with `zero_to_fp32.py`.",
        )
    for name in sorted(tensors):
        number_type = str(tensors[name].dtype).removeprefix("torch.")
        problem = None
        if number_type.startswith("float8") or (".lora_" in name and not tensors[name].is_floating_point()):
            problem = f"has numbers of the type {number_type}; expected float16, bfloat16 or float32"
        elif MATRIX.match(name) is not None and tensors[name].ndim < 2:
            problem = f"has {tensors[name].ndim} dimensions; expected a matrix"
        if problem is not None:
            raise AdapterProblem(
                "adapter.not_loaded",
                f"{folder / WEIGHTS}: {name} {problem}",
                remedy="Save the adapter again with `save_pretrained()`, in float16, bfloat16 or float32.",
            )
    return tensors


def _read_base_hash(folder: Path) -> str | None:
    if not (folder / PROVENANCE).is_file():
        return None
    try:
        value = json.loads((folder / PROVENANCE).read_text(encoding="utf-8")).get("base_model_hash")
    except (OSError, ValueError, AttributeError, RecursionError):
        return None  # not recorded: unknown, not equal
    return str(value) if value is not None else None


def write_adapter(folder: Path, config: dict[str, Any], tensors: dict[str, Tensor], base_model_hash: str) -> None:
    """Write an adapter canonically: equal weights and settings give equal bytes."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    # Copies, because safetensors rejects tied weights: one tensor under two names.
    copies = {name: tensors[name].detach().cpu().clone().contiguous() for name in sorted(tensors)}
    temporary = folder / f".{WEIGHTS}.tmp"
    temporary.write_bytes(save(copies, metadata={"format": "pt"}))
    temporary.replace(folder / WEIGHTS)
    write_text(folder / CONFIG, json.dumps(_canonical(config), indent=2, sort_keys=True) + "\n")
    write_text(folder / PROVENANCE, json.dumps({"base_model_hash": base_model_hash}, indent=2) + "\n")


def _canonical(value: Any) -> Any:
    """Sort sets and lists and replace enumerations by their values; peft's own JSON does neither."""
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return sorted((_canonical(item) for item in value), key=str)
    return value.value if hasattr(value, "value") else value
