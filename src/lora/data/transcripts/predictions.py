"""One JSON object of lists, `{"predictions": [...], "references": [...]}`, as evaluation scripts write it.

Lists of ids and other fields may be next to them; without ids, texts are named by their place in the list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lora.data.transcripts.columns import FILES, HYPOTHESES, IDS, ExternalTranscript, from_columns
from lora.data.transcripts.json_text import json_content
from lora.records.base import UserError

SINGULAR = {f"{name}s": name for name in (*IDS, *FILES)}  # a list of them is called `ids`, `paths`, ...
LISTS = re.compile(rf'"({"|".join(HYPOTHESES)})"\s*:\s*\[')


def looks_like_lists(lines: Sequence[str]) -> bool:
    """Whether the first lines begin one object with a list of hypotheses, and are not one object each."""
    is_row = len(lines) > 1 and lines[0].rstrip().endswith("}")
    return lines[0].lstrip().startswith("{") and not is_row and LISTS.search(" ".join(lines)) is not None


def read_lists(path: Path, text: str, columns: Mapping[str, str]) -> list[ExternalTranscript]:
    """Transcripts of the object. Raises UserError for lists of different lengths."""
    content = json_content(path, text)
    lists: dict[str, list[Any]] = {}
    if isinstance(content, dict):
        lists = {name: values for name, values in content.items() if isinstance(values, list)}
    if not lists:
        raise UserError(f'{path}: expected one object of lists, such as {{"predictions": [...], "references": [...]}}')
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        described = ", ".join(f"{name} has {length:,}" for name, length in lengths.items())
        raise UserError(
            f"{path}: its lists have different lengths ({described}); write one entry per utterance in each"
        )
    lists = {_column(name, lists, columns): values for name, values in lists.items()}
    rows = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return list(from_columns(path, enumerate(rows, start=1), columns))


def _column(name: str, lists: Mapping[str, list[Any]], columns: Mapping[str, str]) -> str:
    """The name of a list as a column of ids or files, unless it is configured or the column is there as well."""
    column = SINGULAR.get(name, name)
    return name if name in columns.values() or column in lists else column
