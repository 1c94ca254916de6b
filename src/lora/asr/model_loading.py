"""Load a speech model and its processor from files.

Weights are read from safetensors only, and code in a model folder is never executed. Imports torch.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import nn

from lora.asr.families.speech_model import SpeechModel
from lora.asr.families.table import class_of
from lora.asr.feature_settings import FEATURES
from lora.asr.model_files import (
    ADAPTER_CONFIG,
    CONFIGURATION,
    GENERATION,
    SHARDS,
    TEXT_FILES,
    ModelFiles,
    weight_files,
)
from lora.asr.model_json import UnusableModel, read_json
from lora.asr.weights_file import numbers_in
from lora.records.base import UserError

INTERRUPTIONS = (MemoryError, KeyboardInterrupt, SystemExit)
LARGER = 4  # times the weights of the files, which a model of config.json may have; tied ones count twice
SPARE = 10**8  # further numbers, of tables that are computed
LONGEST_REASON = 300  # characters of an error message, which may quote a file

logging.getLogger("transformers").setLevel(logging.ERROR)  # its advice does not apply to this software's users


def load_model(files: ModelFiles, device: str = "cpu", dtype: str = "float32") -> SpeechModel:
    """Load model and processor.

    Raises:
        UserError: A package is missing, or somebody changed the files after they were identified.
        UnusableModel: transformers cannot load the files.
    """
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # progress bars make log files unreadable
    number_type: torch.dtype = getattr(torch, dtype)
    where = f"model {files.identity.id}"
    missing = [name for name in files.family.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{where}: {files.identity.family} models need the package {missing[0]}. Install it and try again."
        )
    implementation = class_of(files.family)
    weights = weight_files(files.path, files.identity.id)
    _require_metadata(files, weights)
    _require_size_of_weights(files, weights)
    try:
        with _without_adapter(files.path) as folder:
            model, processor = implementation.load(
                files,
                folder,
                dtype=number_type,  # the files may be in half precision, which does not accept float32 audio on a CPU
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
    except INTERRUPTIONS:
        raise
    except BaseException as error:  # of any kind: libraries have classes of their own, such as Rust's panics
        part = _damaged_part(files)
        subject, remedy = ("", "") if part is None else (f"{part} ", f". Copy {part} from the base model")
        raise UnusableModel(f"{where}: {subject}cannot be loaded: {_reason(error)}{remedy}") from None
    if not (hasattr(processor, "tokenizer") and hasattr(processor, "feature_extractor")):
        raise UnusableModel(
            f"{where}: the folder has no processor with tokenizer and feature extractor. Copy its files from the base "
            "model."
        )
    files.states.check()
    model.to(device)
    model.eval()
    speech = implementation(files, model, processor, device, number_type)
    _require_usable(speech, where)
    return speech


def _require_usable(speech: SpeechModel, where: str) -> None:
    """Try feature extractor and tokenizer on silence, shorter than any padding, and letters. Raises UnusableModel."""
    speech.require_usable_prompt()
    silence = np.zeros(speech.sampling_rate // 2, np.float32)
    needed = speech.base.main_input_name
    trials: list[tuple[str, Callable[[], object]]] = [
        ("feature extractor", lambda: speech.inputs([silence])[needed]),
        ("tokenizer", lambda: speech.text_of(speech.label_ids(["a a"])[0])),
    ]
    for part, trial in trials:
        try:
            trial()
        except (*INTERRUPTIONS, UserError):
            raise
        except BaseException as error:  # settings that the library took without looking at them
            raise UnusableModel(
                f"{where}: its {part} fails: {_reason(error)}. Copy the files of the {part} from the base model."
            ) from None


def _damaged_part(files: ModelFiles) -> str | None:
    """The files that cannot be loaded on their own: libraries report a value without its file. None if all can be."""
    import transformers

    tokenizer = [name for name in TEXT_FILES if name not in FEATURES]
    for loader, folder, names in (
        ("AutoConfig", files.path, [CONFIGURATION]),
        ("GenerationConfig", files.path, [GENERATION]),
        ("AutoTokenizer", files.processor_path, tokenizer),
        ("AutoFeatureExtractor", files.processor_path, FEATURES),
        ("AutoProcessor", files.processor_path, [*FEATURES, *tokenizer]),
    ):
        present = [name for name in names if (folder / name).is_file()]
        try:
            if present:
                getattr(transformers, loader).from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        except (*INTERRUPTIONS, ImportError):  # the latter of a package that this project's own class does without
            continue
        except BaseException:
            return " or ".join(present)
    return None if _can_be_built(files) else CONFIGURATION


def _can_be_built(files: ModelFiles) -> bool:
    """Whether there is a model of the configuration at all, whatever its weights."""
    try:
        _without_weights(files)
    except INTERRUPTIONS:
        raise
    except BaseException:
        return False
    return True


def _without_weights(files: ModelFiles) -> nn.Module:
    """The model of the configuration, in no memory."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(files.path, trust_remote_code=False, local_files_only=True)
    with torch.device("meta"):
        model: nn.Module = getattr(transformers, class_of(files.family).auto_class).from_config(config)
    return model


def _require_metadata(files: ModelFiles, weights: list[Path]) -> None:
    """Raise UnusableModel for an index that transformers cannot read: it reports neither file nor key."""
    owner = f"model {files.identity.id}"
    if weights[0].name != SHARDS:
        return
    metadata = read_json(files.path / SHARDS, owner).get("metadata")
    if not isinstance(metadata, dict):
        raise UnusableModel(
            f'{owner}: {SHARDS}: "metadata" is {metadata!r:.40}; expected an object. Copy the file from the base '
            'model, or add `"metadata": {}` to it.'
        )


def _require_size_of_weights(files: ModelFiles, weights: list[Path]) -> None:
    """Raise UnusableModel if config.json describes a far larger model than the files have: it would be allocated."""
    try:
        model = _without_weights(files)
    except INTERRUPTIONS:
        raise
    except BaseException:  # reported where the model is loaded
        return
    tensors = [*model.named_parameters(), *model.named_buffers()]
    described = sum(tensor.numel() for _, tensor in tensors)
    stored = sum(numbers_in(path) for path in weights if path.name != SHARDS)
    if described > LARGER * stored + SPARE:
        name, largest = max(tensors, key=lambda item: item[1].numel())
        raise UnusableModel(
            f"model {files.identity.id}: {CONFIGURATION} describes a model with {described:.3g} weights, of which "
            f"{name} is {list(largest.shape)}, but the files have {stored:,}. Copy all files from one model."
        )


def _reason(error: BaseException) -> str:
    text = " ".join(str(error).split())[:LONGEST_REASON] or type(error).__name__
    return f"no key {text}" if isinstance(error, KeyError) else text


@contextmanager
def _without_adapter(folder: Path) -> Iterator[Path]:
    """The model's folder, or a folder of links to its files without those of an adapter.

    transformers silently loads an adapter from a model folder, and the "base" model would be a tuned one.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        yield folder
        return
    with tempfile.TemporaryDirectory() as view:
        for path in folder.iterdir():
            if not path.name.startswith("adapter_"):
                (Path(view) / path.name).symlink_to(path.resolve())
        yield Path(view)
