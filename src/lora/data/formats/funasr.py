"""FunASR: JSON lines with `key`, `source` and `target`, or chat messages with the audio path in the user's message.

`source_len` counts feature frames, whose length the manifest does not contain, so durations come from audio headers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lora.data.column_names import Columns
from lora.data.formats.interface import Entry, ManifestFormat, Reading, reject_settings
from lora.data.manifest_lines import lines_as
from lora.data.source import Source

SPEECH = re.compile(r"<\|startofspeech\|>!?(?P<path>.*?)<\|endofspeech\|>", re.DOTALL)


def is_funasr(row: Mapping[str, Any]) -> bool:
    if isinstance(row.get("messages"), list):
        return SPEECH.search(_said(row, "user") or "") is not None
    return isinstance(row.get("source"), str) and isinstance(row.get("target"), str)


def read_funasr(source: Source) -> Reading:
    reject_settings(source, "columns")
    notes: list[str] = []
    entries = [
        Entry(line, row if isinstance(row, str) else _row(row)) for line, row in lines_as("jsonl", source.path, notes)
    ]
    return Reading("funasr", source.path.parent, entries, Columns(), source.channel, table=False, notes=notes)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    if "messages" not in row:
        return {"id": row.get("key"), "audio": row.get("source"), "text": row.get("target")}
    speech = SPEECH.search(_said(row, "user") or "")
    audio = speech["path"].strip() if speech else None
    return {"id": row.get("key"), "audio": audio, "text": _said(row, "assistant")}


def _said(row: Mapping[str, Any], role: str) -> str | None:
    """The first message of a role."""
    messages = row["messages"] if isinstance(row["messages"], list) else []
    contents = (m.get("content") for m in messages if isinstance(m, Mapping) and m.get("role") == role)
    return next((content for content in contents if isinstance(content, str)), None)


FUNASR = ManifestFormat(
    name="funasr",
    description="FunASR JSON lines with `key`, `source` and `target`, or with `messages`.",
    read=read_funasr,
    matches_file=lambda sample: sample.mostly(is_funasr),
)
