"""What another pipeline recorded of how it made its transcripts.

The layout is the runner's own: `<stem>.settings.json` beside the transcripts. A person may write such a file by hand
with some of its keys; what it does not say stays unknown.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lora.records.base import UserError
from lora.records.settings import AdapterIdentity, ManifestIdentity, ModelIdentity, RunSettings

PREPROCESS = ("sampling_rate", "target_rms", "resampler", "padding_seconds")
DEVICE = ("type", "dtype", "threads")
# Without these a section cannot be compared with the baseline's; it counts as unknown then.
NEEDED = {"model": "hash", "adapter": "hash"}
FILLED: dict[str, dict[str, Any]] = {
    "model": {"id": "", "revision": None, "family": "", "window_seconds": None},
    "adapter": {"source": ""},
    "manifest": {"rows": None, "content_hash": None},
}


def adjacent_settings(hypotheses: Path) -> Path:
    """Where the settings of a file of transcripts lie, if there are any."""
    return hypotheses.with_name(f"{hypotheses.stem}.settings.json")


def read_settings(path: Path, run: str, manifest: str, decode_keys: Collection[str]) -> RunSettings:
    """What a brought settings file says, under the run's name here.

    A record of the runner (it has a fingerprint) may hold a model's own generation arguments; in one written by hand
    every argument must be one of `decode_keys`. Raises UserError naming file and key.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(f"{path}: not a JSON file of settings: {error}") from None
    if not isinstance(given, dict):
        raise UserError(f"{path}: expected a JSON object of settings, found {given!r:.60}")
    _check_keys(path, "", given, RunSettings.model_fields)
    sections = {
        "manifest": ManifestIdentity.model_fields,
        "model": ModelIdentity.model_fields,
        "adapter": AdapterIdentity.model_fields,
        "preprocess": PREPROCESS,
        "decode": None if given.get("fingerprint") else decode_keys,
        "device": DEVICE,
        "software": None,
    }
    values: dict[str, Any] = {"run": run}
    for key, value in given.items():
        if key == "run" or value is None:
            continue
        if key in sections:
            if not isinstance(value, dict):
                raise UserError(f"{path}: {key}: expected an object, found {value!r:.60}")
            known = sections[key]
            if known is not None:
                _check_keys(path, f"{key}.", value, known)
            value = _completed(key, value, manifest)
        values[key] = value
    try:
        return RunSettings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UserError(f"{path}: {where}: {first['msg']}") from None


def _check_keys(path: Path, section: str, given: dict[str, Any], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {section}{close[0]}?" if close else f"known: {', '.join(sorted(known))}"
            raise UserError(f"{path}: unknown key {section}{key}; {hint}")


def _completed(key: str, value: dict[str, Any], manifest: str) -> dict[str, Any] | None:
    """A section as its record wants it; null where what it is compared by is missing."""
    if key in {"device", "software"}:
        return {name: str(entry) for name, entry in value.items() if entry is not None}
    if key in NEEDED and value.get(NEEDED[key]) is None:
        return None
    completed = FILLED.get(key, {}) | value
    return completed | {"name": manifest} if key == "manifest" else completed
