"""Load a speech model and its processor from files.

Weights come from safetensors only, and code inside a model folder is never run. Imports torch.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from lora.asr.families.speech_model import SpeechModel, first_line
from lora.asr.families.table import class_of
from lora.asr.model_files import ADAPTER_CONFIG, ModelFiles
from lora.records.base import UserError

logging.getLogger("transformers").setLevel(logging.ERROR)  # its advice is not ours to give


def load_model(files: ModelFiles, device: str = "cpu", dtype: str = "float32") -> SpeechModel:
    """Load model and processor from files. Raises UserError where the library cannot make them."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # logs are read by people
    number_type: torch.dtype = getattr(torch, dtype)
    where = f"model {files.identity.id}"
    missing = [name for name in files.family.packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(f"{where}: {files.identity.family} needs the package {missing[0]}; install it and try again")
    kind = class_of(files.family)
    try:
        with _without_adapter(files.path) as folder:
            model, processor = kind.load(
                files,
                folder,
                dtype=number_type,  # files may hold half precision, which a CPU cannot feed with float32 audio
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, RuntimeError) as error:
        raise UserError(f"{where}: cannot be loaded: {first_line(error)}") from None
    if not hasattr(processor, "tokenizer"):
        raise UserError(f"{where}: its folder makes no processor with a tokenizer and a feature extractor")
    model.to(device)
    model.eval()
    return kind(files, model, processor, device, number_type)


@contextmanager
def _without_adapter(folder: Path) -> Iterator[Path]:
    """The model's folder, or links to its files where an adapter lies among them.

    The library would load such an adapter into the model without a word, and the "base" would be a tuned model.
    """
    if not (folder / ADAPTER_CONFIG).is_file():
        yield folder
        return
    with tempfile.TemporaryDirectory() as view:
        for path in folder.iterdir():
            if not path.name.startswith("adapter_"):
                (Path(view) / path.name).symlink_to(path.resolve())
        yield Path(view)
