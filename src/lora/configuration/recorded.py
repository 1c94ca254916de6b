"""The configuration that is saved with results, `results/config.json`."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from lora.configuration.study import StudyConfig
from lora.records.base import UserError

METADATA = Path(".snakemake/metadata")
MOST_KEYS = 5  # that a message names


def discard_unreadable(path: Path) -> bool:
    """Delete a recorded configuration that an earlier version wrote with other keys, so that it is recorded again.

    Snakemake keeps a file without a record of how it was made (`.snakemake/metadata`), whatever is in it.

    Returns:
        Whether it was deleted.
    """
    if not path.is_file():
        return False
    try:
        StudyConfig.read(path)
    except UserError:
        path.unlink()
        return True
    return False


def require_comparable(path: Path, config: dict[str, Any], metadata: Path = METADATA) -> None:
    """Check that Snakemake can see which results a changed configuration concerns.

    It compares parameters with its records of the jobs, and keeps every result without one. These are lost where a
    study was copied without hidden folders, or cloned.

    Args:
        path: The configuration of the results, which may be missing.
        config: The complete configuration now, without what belongs to one command only.
        metadata: Folder of Snakemake's records.

    Raises:
        UserError: The configuration has changed, and there is no record.
    """
    if not path.is_file() or (metadata / urlsafe_b64encode(str(path).encode()).decode()).exists():
        return
    try:
        recorded = StudyConfig.read(path).to_json()
    except UserError:
        return  # of an earlier version, or damaged: `discard_unreadable`
    changes = changed_keys(recorded, StudyConfig.from_json(config).to_json())
    if changes:
        shown = "; ".join(changes[:MOST_KEYS]) + (f"; {len(changes) - MOST_KEYS} more" if changes[MOST_KEYS:] else "")
        raise UserError(
            f"{path.parent} was computed with another configuration ({shown}), and Snakemake's records of it "
            f"({metadata}) are missing, so that nothing shows which results this concerns. Move them away, and run "
            f"again: mv {path.parent} {path.parent}.before. Finished model work that still fits is taken from work."
        )


def changed_keys(recorded: dict[str, Any], current: dict[str, Any], path: str = "") -> list[str]:
    """List the keys whose value differs from that of the existing results."""
    lines = []
    for key in [*recorded, *(k for k in current if k not in recorded)]:
        name, before, now = f"{path}{key}", recorded.get(key), current.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            lines += changed_keys(before, now, f"{name}.")
        elif before != now:
            lines.append(f"{name}: {json.dumps(before)} -> {json.dumps(now)}")
    return lines
