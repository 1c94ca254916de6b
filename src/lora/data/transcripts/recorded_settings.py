"""Settings that another pipeline recorded for its transcripts.

The file is `<stem>.settings.json` next to the transcripts, with the keys that this software's own runs write. It may
be written by hand with some of the keys; missing ones are unknown.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from lora.data.existing_files import require_file
from lora.data.json_lines import writable
from lora.data.json_rows import DECODER
from lora.records.base import UserError, first_fault
from lora.records.settings import AdapterIdentity, ManifestIdentity, ModelIdentity, RunSettings

PREPROCESS = ("sampling_rate", "target_rms", "resampler", "padding_seconds")
DEVICE = ("type", "dtype", "threads")
# A section without its key here cannot be compared with the baseline and counts as unknown.
REQUIRED = {"model": "hash", "adapter": "hash"}
DEFAULTS: dict[str, dict[str, Any]] = {
    "model": {"id": "", "revision": None, "family": "", "window_seconds": None},
    "adapter": {"source": ""},
    "manifest": {"rows": None, "content_hash": None},
}


def adjacent_settings(hypotheses: Path) -> Path:
    """Path of the settings of a transcript file, which may not exist."""
    return hypotheses.parent / f"{hypotheses.stem}.settings.json"  # a name may be empty, as that of `.` is


def read_settings(path: Path, run: str, manifest: str, decode_keys: Collection[str]) -> RunSettings:
    """Read a settings file.

    A record of this software (it has a fingerprint) may contain generation arguments of the model; in a file written by
    hand every argument must be one of `decode_keys`.

    Args:
        path: the settings file.
        run: name of the run in this study.
        manifest: name of the manifest in this study.
        decode_keys: names of decoding settings.

    Raises:
        UserError: for an unreadable file, an unknown key or a wrong value, with file and key.
    """
    require_file(path, "settings")
    try:
        given = DECODER.decode(path.read_text(encoding="utf-8-sig"))  # refuses a key with two values
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}. Correct or remove the file.") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}. Correct or remove the file.") from None
    if not isinstance(given, dict):
        raise UserError(f"{path}: {given!r:.60} is not a JSON object of settings")
    if not writable(given):
        raise UserError(f"{path}: a value has half of a character (a lone surrogate). Correct or remove the file.")
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
                raise UserError(f"{path}: {key} is {value!r:.60}; expected an object")
            allowed = sections[key]
            if allowed is not None:
                _check_keys(path, f"{key}.", value, allowed)
            value = _completed(key, value, manifest)
        values[key] = value
    try:
        settings = RunSettings.model_validate(values)
        settings.to_json()
        return settings
    except PydanticSerializationError:
        raise UserError(f"{path}: a value has hundreds of others in it, one in the other. Correct it.") from None
    except ValidationError as error:
        raise UserError(f"{path}: {first_fault(error, 'the file')}") from None


def _check_keys(path: Path, section: str, given: dict[str, Any], known: Collection[str]) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            hint = f"did you mean {section}{close[0]}?" if close else f"known: {', '.join(sorted(known))}"
            raise UserError(f"{path}: unknown key {section}{key}; {hint}")


def _completed(key: str, value: dict[str, Any], manifest: str) -> dict[str, Any] | None:
    """A section with the fields of its record; None where the key by which it is compared is missing."""
    if key in {"device", "software"}:
        return {name: str(entry) for name, entry in value.items() if entry is not None}
    if key in REQUIRED and value.get(REQUIRED[key]) is None:
        return None
    completed = DEFAULTS.get(key, {}) | value
    return completed | {"name": manifest} if key == "manifest" else completed
