"""Read adapter folders (safetensors only) and write them canonically: equal weights give identical bytes.

peft stores target modules as an unordered set and the base model as the path it was loaded from. Here lists and keys
are sorted, and the base model has its configured name. The hash of the base model is in `lora_provenance.json` next to
the two files, because peft rejects unknown keys in `adapter_config.json`. Imports torch only to read and write tensors.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lora.asr.ladder.adapter_file import file_stage
from lora.asr.weights_file import weights_problem
from lora.data.json_lines import writable
from lora.records.base import UserError, write_text
from lora.records.effect import FileStage, LoadStage

if TYPE_CHECKING:
    from torch import Tensor

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"
PROVENANCE = "lora_provenance.json"
LARGEST = 2**31  # of ranks, alphas and token ids
MOST_ITERATIONS = 1000  # of an initialisation, which repeats its decomposition so often
CHECKPOINT = "checkpoint-"  # how the Trainer names the folders of a run; they are not one adapter
# Other types whose change can be merged into the base weights, and so be diagnosed as a checkpoint.
MERGEABLE = {"ADALORA", "IA3", "LOHA", "LOKR", "OFT", "BOFT", "VERA", "HRA"}


class AdapterProblem(Exception):
    """An unusable adapter.

    It has its cause code, the stages of the effect ladder that were computed before, and what helps where that is not
    the remedy of the code.
    """

    def __init__(
        self,
        code: str,
        message: str,
        file_stage: FileStage | None = None,
        load_stage: LoadStage | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.file_stage = file_stage
        self.load_stage = load_stage
        self.remedy = remedy


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_tokens(value: Any) -> bool:
    """Token ids, or those of several embeddings by name."""
    lists = list(value.values()) if isinstance(value, dict) else [value]
    return all(isinstance(ids, list) and all(type(id) is int and 0 <= id < LARGEST for id in ids) for ids in lists)


KEY_TYPES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "base_model_name_or_path": (_is_name, "text"),
    "bias": (_is_name, "text"),
    "init_lora_weights": (lambda value: isinstance(value, bool | str), "true, false or text"),
    "modules_to_save": (_is_names, "a list of names"),
    "target_modules": (lambda value: _is_name(value) or _is_names(value), "a list of names, or an expression"),
    "trainable_token_indices": (_is_tokens, "a list of token ids"),
}


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
    return AdapterFiles(config, _read_tensors(folder), _read_base_hash(folder))


def missing_file(folder: Path, name: str) -> AdapterProblem:
    """The problem of a folder without a file, with what helps."""
    hint = remedy = None
    checkpoints = [path for path in folder.glob(f"{CHECKPOINT}*") if (adapter_home(path) / CONFIG).is_file()]
    inside = [path.name for path in sorted({*checkpoints, *_adapters_in(folder)}, key=_by_step)]
    if (folder / "adapter_model.bin").is_file():
        hint = "adapter_model.bin is a pickle and is not read: save it as safetensors"
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
    for key, value in _numbers_of(config, folder / CONFIG):
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < LARGEST:
            raise AdapterProblem(
                "adapter.not_loaded", f"{folder / CONFIG}: {key}: {value!r:.40} is not a number below {LARGEST}"
            )
        if (key == "r" or key.startswith("rank_pattern")) and value != int(value):
            raise AdapterProblem("adapter.not_loaded", f"{folder / CONFIG}: {key}: {value} is not a whole number")
    _check_types(config, folder / CONFIG)
    return config


def _check_types(config: dict[str, Any], path: Path) -> None:
    for key, (accepts, expected) in KEY_TYPES.items():
        if config.get(key) is not None and not accepts(config[key]):
            raise AdapterProblem(
                "adapter.not_loaded", f"{path}: {key} is {json.dumps(config[key])[:60]}; expected {expected}"
            )
    iterations = re.fullmatch(r"pissa_niter_(\d+)", str(config.get("init_lora_weights")))
    if iterations is not None and (len(iterations[1]) > 4 or int(iterations[1]) > MOST_ITERATIONS):
        raise AdapterProblem(
            "adapter.not_loaded",
            f"{path}: init_lora_weights is {iterations[0]:.40}; expected at most {MOST_ITERATIONS} iterations",
        )


def _numbers_of(config: dict[str, Any], path: Path) -> Iterator[tuple[str, Any]]:
    """Yield what must be a number: rank and alpha, and those of single modules."""
    yield from ((key, config[key]) for key in ("r", "lora_alpha") if key in config)
    for key in ("rank_pattern", "alpha_pattern"):
        pattern = config.get(key) or {}
        if not isinstance(pattern, dict):
            raise AdapterProblem("adapter.not_loaded", f"{path}: {key} is not a JSON object")
        yield from ((f"{key}: {module}", value) for module, value in pattern.items())


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
    for name in sorted(tensors):
        number_type = str(tensors[name].dtype).removeprefix("torch.")
        problem = None
        if number_type.startswith("float8") or (".lora_" in name and not tensors[name].is_floating_point()):
            problem = f"has numbers of the type {number_type}; expected float16, bfloat16 or float32"
        elif (".lora_A" in name or ".lora_B" in name) and tensors[name].ndim < 2:
            problem = f"has {tensors[name].ndim} dimensions; expected a matrix"
        if problem is not None:
            raise AdapterProblem(
                "adapter.not_loaded",
                f"{folder / WEIGHTS}: {name} {problem}",
                remedy="Save the adapter again with `save_pretrained()`, in float16, bfloat16 or float32.",
            )
    return tensors


def _read_base_hash(folder: Path) -> str | None:
    try:
        value = json.loads((folder / PROVENANCE).read_text(encoding="utf-8")).get("base_model_hash")
    except (OSError, ValueError, AttributeError):
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
