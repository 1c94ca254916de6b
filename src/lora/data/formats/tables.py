"""Tables with one row per line: JSON lines, CSV and TSV with any columns, and three formats close to them.

NeMo manifests write `-` for missing text; Common Voice keeps its clips in a folder next to the TSV; the metadata of an
audiofolder names the audio in `file_name`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, starmap
from pathlib import Path
from typing import Any

from lora.data.column_names import Columns
from lora.data.existing_files import is_file, is_optional_file, not_hidden
from lora.data.formats.arrow_rows import readable_columns, row_values
from lora.data.formats.interface import PATHS_TRIED, Entries, Entry, FileSample, ManifestFormat, Reading
from lora.data.manifest_lines import lines_as, text_kind
from lora.data.source import Source
from lora.records.base import UserError

FILE_NAME = "file_name"
METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
CLIPS = "clips"
NO_TEXT = frozenset({"-"})  # of NeMo
NEMO_AUDIO = ("audio_filepath", "audio_filename")


def read_table(source: Source) -> Reading:
    kind = source.format if source.format in {"csv", "tsv"} else "jsonl"
    notes: list[str] = []
    entries = _entries(kind, source.path, notes)
    return Reading(source.format, source.path.parent, entries, Columns(source.columns), source.channel, notes=notes)


def read_nemo(source: Source) -> Reading:
    """Raise UserError for a tarred manifest whose audio was not extracted from its archives."""
    notes: list[str] = []
    entries = _entries("jsonl", source.path, notes)
    folder = source.path.parent
    rows = (entry.row for entry in entries if isinstance(entry.row, dict))
    first = list(islice(rows, PATHS_TRIED))
    sharded = [row for row in first if "shard_id" in row]
    if 2 * len(sharded) > len(first) and not any(_is_there(folder, _nemo_audio(row)) for row in sharded):
        raise UserError(
            f"{source.path}: a tarred NeMo manifest (its rows have shard_id) without its audio next to it. Extract the "
            f"archives into this folder (`for t in audio_*.tar; do tar xf $t; done` in {folder}), or name the manifest "
            "from before it was tarred."
        )
    checked = Entries(lambda: map(_with_one_file, entries))
    return Reading("nemo", folder, checked, Columns(source.columns, NO_TEXT), source.channel, notes=notes)


def read_common_voice(source: Source) -> Reading:
    """`path` names a clip in `clips/`, with or without its `.mp3`; ids stay as the TSV writes them."""
    folder = source.path.parent
    columns = Columns(source.columns)
    notes: list[str] = []
    written = _entries("tsv", source.path, notes)
    entries = Entries(
        lambda: (
            entry._replace(row=_with_clip(entry.row, folder, columns)) if isinstance(entry.row, dict) else entry
            for entry in written
        )
    )
    return Reading("common_voice", folder, entries, columns, source.channel, notes=notes)


def read_audiofolder(source: Source) -> Reading:
    """A folder of audio with metadata.csv, .jsonl or .parquet, or that file itself."""
    path = metadata_of(source.path)
    columns = Columns({"audio": FILE_NAME, **source.columns})
    notes: list[str] = []
    is_parquet = path.suffix == ".parquet"
    entries: Iterable[Entry] = (
        list(_parquet_entries(path, columns)) if is_parquet else _entries(text_kind(path), path, notes)
    )
    return Reading("audiofolder", path.parent, entries, columns, source.channel, notes=notes)


def metadata_of(path: Path) -> Path:
    """The metadata file of an audiofolder; the path itself where it is a file."""
    if not path.is_dir():
        return path
    return next((path / name for name in METADATA if is_optional_file(path / name)), path / METADATA[0])


def _entries(kind: str, path: Path, notes: list[str]) -> Entries:
    lines = lines_as(kind, path, notes)
    return Entries(lambda: starmap(Entry, lines))


def _parquet_entries(path: Path, columns: Columns) -> Iterator[Entry]:
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(path)
        names = readable_columns(file.schema_arrow, {name for known in columns.names.values() for name in known})
        rows = [row for batch in file.iter_batches() for row in row_values(batch.select(names))]
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: not a Parquet file: {error}") from None
    for number, row in enumerate(rows, start=1):
        yield Entry(number, row)


def _is_there(folder: Path, audio: Any) -> bool:
    return isinstance(audio, str) and is_file(folder / audio)


def _with_one_file(entry: Entry) -> Entry:
    """The row, rejected where it names several files."""
    if isinstance(entry.row, dict) and isinstance(_nemo_audio(entry.row), list):
        return entry._replace(row="no audio: audio_filepath is a list; expected one file per row")
    return entry


def _nemo_audio(row: Mapping[str, Any]) -> Any:
    for name in NEMO_AUDIO:
        if name in row:
            return row[name]
    return None


def _with_clip(row: dict[str, Any], folder: Path, columns: Columns) -> dict[str, Any]:
    """The row with the path of its clip from `folder`, and with the written name as its id where it has none."""
    written = columns.value(row, "audio")
    if not isinstance(written, str):
        return row
    candidates = (written, f"{CLIPS}/{written}", f"{CLIPS}/{written}.mp3")
    clip = next((path for path in candidates if is_file(folder / path)), written)
    own_id = columns.value(row, "id")
    return {**row, columns.names["audio"][0]: clip, columns.names["id"][0]: written if own_id is None else own_id}


def _is_audiofolder_file(sample: FileSample) -> bool:
    if sample.kind == "parquet":
        return sample.path.name in METADATA
    return FILE_NAME in sample.header or sample.mostly(lambda row: FILE_NAME in row)


def _split_table(folder: Path, split: str) -> Path | None:
    path = folder / f"{split}.tsv"
    return path if path.is_file() else None


def _tables_next_to_clips(folder: Path) -> list[str]:
    return [file.stem for file in not_hidden(folder.glob("*.tsv"))] if (folder / CLIPS).is_dir() else []


JSONL = ManifestFormat(
    name="jsonl",
    description="JSON lines with any columns.",
    read=read_table,
    matches_file=lambda sample: True,  # the last in the order of detection
)
CSV = ManifestFormat(
    name="csv",
    description="CSV with a header and any columns.",
    read=read_table,
    matches_file=lambda sample: sample.kind == "csv",
)
TSV = ManifestFormat(
    name="tsv",
    description="TSV with a header and any columns.",
    read=read_table,
    matches_file=lambda sample: sample.kind == "tsv",
)
NEMO = ManifestFormat(
    name="nemo",
    description="NeMo manifest: JSON lines with `audio_filepath` (or `audio_filename`) and `duration`.",
    read=read_nemo,
    matches_file=lambda sample: sample.mostly(lambda row: "duration" in row and _nemo_audio(row) is not None),
)
COMMON_VOICE = ManifestFormat(
    name="common_voice",
    description="Common Voice TSV with `client_id`, `path` and `sentence`, and its folder `clips`.",
    read=read_common_voice,
    matches_file=lambda sample: sample.kind == "tsv" and {"client_id", "path", "sentence"} <= sample.header,
    split_file=_split_table,
    split_names=_tables_next_to_clips,
)
AUDIOFOLDER = ManifestFormat(
    name="audiofolder",
    description="Hugging Face audiofolder: audio files and `metadata.csv`, `.jsonl` or `.parquet` with `file_name`.",
    read=read_audiofolder,
    matches_file=_is_audiofolder_file,
    matches_folder=lambda folder: any((folder / name).is_file() for name in METADATA),
    layout="metadata.csv or .jsonl",
    row_files=lambda source: [metadata_of(source.path)],
)
