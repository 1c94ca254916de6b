"""A transcript file that is one JSON value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lora.data.json_lines import writable
from lora.data.json_rows import DECODER
from lora.records.base import UserError


def json_content(path: Path, text: str) -> Any:
    """The value of a file's text. Raises UserError for text that is not JSON, or that no file could contain again."""
    try:
        content = DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not JSON: {error}") from None
    if not writable(content):
        raise UserError(f"{path}: a text has half of a character (a lone surrogate, as from a truncated emoji)")
    return content
