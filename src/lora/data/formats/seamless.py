"""seamless_communication: JSON lines with a `source` (audio) and a `target` (text)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lora.data.column_names import Columns
from lora.data.formats.interface import Entry, ManifestFormat, Reading, audio_root, reject_settings
from lora.data.manifest_lines import lines_as
from lora.data.source import Source

AUDIO = "audio_local_path"


def is_seamless(row: Mapping[str, Any]) -> bool:
    source, target = row.get("source"), row.get("target")
    return isinstance(source, Mapping) and isinstance(target, Mapping) and AUDIO in source


def read_seamless(source: Source) -> Reading:
    """The text is that of the target, which is what the model is trained to write."""
    reject_settings(source, "columns")
    notes: list[str] = []
    entries: list[Entry] = []
    translated = 0
    for line, row in lines_as("jsonl", source.path, notes):
        if isinstance(row, str):
            entries.append(Entry(line, row))
        elif not is_seamless(row):
            entries.append(Entry(line, f"no audio: expected `source` with {AUDIO}, and `target` with text"))
        else:
            spoken, written = row["source"], row["target"]
            translated += spoken.get("lang") != written.get("lang")
            entries.append(
                Entry(line, {"id": spoken.get("id"), "audio": spoken.get(AUDIO), "text": written.get("text")})
            )
    if translated:
        notes.append(
            f"{translated} rows have another language in `target` than in `source`: their texts are translations"
        )
    paths = [e.row["audio"] for e in entries if isinstance(e.row, dict) and isinstance(e.row["audio"], str)]
    folder = audio_root(source.path.parent, paths)
    return Reading("seamless", folder, entries, Columns(), source.channel, table=False, notes=notes)


SEAMLESS = ManifestFormat(
    name="seamless",
    description="seamless_communication JSON lines with `source` (`audio_local_path`) and `target` (`text`).",
    read=read_seamless,
    matches_file=lambda sample: sample.mostly(is_seamless),
)
