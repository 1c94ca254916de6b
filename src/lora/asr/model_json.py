"""Find and read the small files of a model folder. Torch-free."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lora.asr.weights_file import POINTER
from lora.data.existing_files import is_optional_file
from lora.data.json_lines import writable
from lora.records.base import UserError


class UnusableModel(UserError):
    """The files of a model are missing, damaged or of another kind. Faults of the hub or of options are not this."""


def is_present(path: Path, owner: str) -> bool:
    """Whether an optional file of a model is there; `owner` starts the message.

    Raises:
        UnusableModel: Something else has its name, such as a link to a file that was not copied.
    """
    try:
        present = is_optional_file(path)
    except UserError as error:
        raise UnusableModel(f"{owner}: {error}") from None
    if present:
        _require_no_pointer(path, owner)
    return present


def _require_no_pointer(path: Path, owner: str) -> None:
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise UnusableModel(
                f"{owner}: {path.name} is a pointer of git-lfs instead of the file. Run `git lfs pull`."
            )


def read_json(path: Path, owner: str) -> dict[str, Any]:
    """The object in a file of a model; `owner` starts the message.

    Raises:
        UnusableModel: The file is missing or is no JSON object.
    """
    if path.exists() and not path.is_file():  # reading a pipe would never end
        raise UnusableModel(
            f"{owner}: {path.name} is not a file but a folder, pipe or device. Copy the file from the base model."
        )
    try:
        _require_no_pointer(path, owner)
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnusableModel(f"{owner}: {path.name} is missing. Copy it from the base model.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableModel(
            f"{owner}: {path.name} cannot be read: {error}. Copy it again from where the model was saved."
        ) from None
    if not isinstance(value, dict):
        raise UnusableModel(f"{owner}: {path.name} is not a JSON object. Copy it from the base model.")
    if not writable(value):
        raise UnusableModel(
            f"{owner}: {path.name} has half of a character (a lone surrogate). Copy it from the base model."
        )
    return value
