"""Tables with a row a line: JSON lines, CSV and TSV with any columns, and the three that differ from them in little.

NeMo manifests write `-` for no text; Common Voice keeps its clips in a folder beside the TSV; an audiofolder's metadata
calls the audio `file_name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from lora.data.formats.reading import Entry, Reading
from lora.data.manifest_lines import lines_as, text_kind
from lora.data.row_fields import Columns
from lora.data.source import Source
from lora.records.base import UserError

FILE_NAME = "file_name"
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
CLIPS = "clips"


def read_table(source: Source) -> Reading:
    kind = source.format if source.format in {"csv", "tsv"} else "jsonl"
    return Reading(
        source.format, source.path.parent, _entries(kind, source.path), Columns(source.columns), source.channel
    )


def read_nemo(source: Source) -> Reading:
    """Raises UserError for a tarred manifest whose audio was not taken out of its archives."""
    entries = _entries("jsonl", source.path)
    folder = source.path.parent
    rows = [entry.row for entry in entries if isinstance(entry.row, dict)]
    sharded = [row for row in rows if "shard_id" in row]
    if sharded and not any(_exists(folder, row.get("audio_filepath")) for row in islice(sharded, 20)):
        raise UserError(
            f"{source.path}: a tarred NeMo manifest (its rows have shard_id), and its audio is not beside it. Take the "
            f"files out of the archives into this folder (`for t in audio_*.tar; do tar xf $t; done` in {folder}), or "
            "name the manifest from before it was tarred."
        )
    joined = [
        entry if not _several(entry.row) else entry._replace(row="no audio: a list of files; a row has one file")
        for entry in entries
    ]
    return Reading("nemo", folder, joined, Columns(source.columns, frozenset({"-"})), source.channel)


def read_common_voice(source: Source) -> Reading:
    """`path` names a clip in `clips/`, with or without its `.mp3`; ids stay as the TSV writes them."""
    folder, columns = source.path.parent, Columns(source.columns)
    entries = [
        entry._replace(row=_clip(entry.row, folder, columns)) if isinstance(entry.row, dict) else entry
        for entry in _entries("tsv", source.path)
    ]
    return Reading("common_voice", folder, entries, columns, source.channel)


def read_audiofolder(source: Source) -> Reading:
    """A folder of audio with metadata.csv, .jsonl or .parquet, or that file itself."""
    path = metadata_of(source.path)
    columns = Columns({"audio": FILE_NAME, **source.columns})
    entries = list(_parquet_entries(path)) if path.suffix == ".parquet" else _entries(text_kind(path), path)
    return Reading("audiofolder", path.parent, entries, columns, source.channel)


def metadata_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    return next((path / name for name in METADATA if (path / name).is_file()), path / METADATA[0])


def _entries(kind: str, path: Path) -> list[Entry]:
    return [Entry(line, row) for line, row in lines_as(kind, path)]


def _parquet_entries(path: Path) -> Iterator[Entry]:
    import pyarrow
    import pyarrow.parquet

    try:
        rows = pyarrow.parquet.read_table(path).to_pylist()
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {error}") from None
    for number, row in enumerate(rows, start=1):
        yield Entry(number, row)


def _exists(folder: Path, audio: Any) -> bool:
    return isinstance(audio, str) and (folder / audio).exists()


def _several(row: dict[str, Any] | str) -> bool:
    return isinstance(row, dict) and isinstance(row.get("audio_filepath"), list)


def _clip(row: dict[str, Any], folder: Path, columns: Columns) -> dict[str, Any]:
    written = columns.value(row, "audio")
    if not isinstance(written, str):
        return row
    found = written
    for candidate in (written, f"{CLIPS}/{written}", f"{CLIPS}/{written}.mp3"):
        if (folder / candidate).is_file():
            found = candidate
            break
    own = columns.value(row, "id")
    return {**row, columns.names["audio"][0]: found, columns.names["id"][0]: written if own is None else own}
