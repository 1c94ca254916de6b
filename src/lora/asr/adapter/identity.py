"""Identify an adapter by its files, without reading their tensors. Torch-free."""

from __future__ import annotations

from pathlib import Path

from lora.asr.adapter.files import CONFIG, PROVENANCE, WEIGHTS, existing_home, missing_file
from lora.data.existing_files import not_hidden
from lora.provenance.hashes import content_hash, file_hash
from lora.records.base import UserError
from lora.records.settings import AdapterIdentity


def adapter_identity(folder: Path | str) -> AdapterIdentity:
    """Name of an adapter and hash of what transcripts depend on: its configuration and its tensors.

    Raises:
        UserError: The folder does not exist.
        AdapterProblem: `adapter.not_loaded` if a file is missing.
    """
    path = existing_home(folder)
    for name in (CONFIG, WEIGHTS):
        if not (path / name).is_file():
            raise missing_file(path, name)
    hashes = [file_hash(path / name) for name in (CONFIG, WEIGHTS)]
    return AdapterIdentity(source=str(folder), hash=content_hash(*hashes))


def require_unchanged(folder: Path | str, before: str, now: str) -> None:
    """Check that nobody replaced an adapter between identifying and loading it. Raises UserError."""
    if before != now:
        raise UserError(f"{folder}: changed while it was read. Run the same command again when nobody edits it.")


def adapter_content(folder: Path | str) -> str:
    """Hash of everything that loading an adapter looks at, whether or not it can be loaded.

    That is its files, with the recorded base model, and the names of all others but hidden ones: a folder without an
    adapter is described by what else it contains.

    Raises:
        UserError: The folder does not exist.
    """
    path = existing_home(folder)
    names = sorted(other.relative_to(folder).as_posix() for other in not_hidden(Path(folder).rglob("*")))
    present = [name for name in (CONFIG, WEIGHTS, PROVENANCE) if (path / name).is_file()]
    return content_hash(*names, *(f"{name}: {file_hash(path / name)}" for name in present))
