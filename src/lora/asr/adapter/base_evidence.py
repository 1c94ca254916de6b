"""Is this the base model an adapter was trained on? Torch-free.

Best by the hash our trainer recorded; else by the commit both sides name, in a revision or in the path of a hub's
snapshot; else shapes can at least refute it. Names alone prove nothing: a folder may hold anything, and a branch moves.
"""

from __future__ import annotations

import re
from typing import Literal

from lora.asr.adapter.files import AdapterFiles
from lora.asr.model_files import ModelFiles

COMMIT = re.compile(r"[0-9a-f]{7,40}")
SNAPSHOT = re.compile(r"models--(?P<owner>[^/\\]+?)--(?P<name>[^/\\]+)[/\\]snapshots[/\\](?P<commit>[0-9a-f]{40})")


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
