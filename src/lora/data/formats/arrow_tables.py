"""Data sets that contain their audio: what `datasets` saves to disk (Arrow), and Parquet files.

`unpack` writes the recordings as files, and the other columns as JSON lines next to them; `read_unpacked` reads those.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lora.data.audio.library_errors import reason_of
from lora.data.column_names import SYNONYMS, Columns, shown_columns
from lora.data.existing_files import not_hidden
from lora.data.formats.arrow_recordings import write_recording
from lora.data.formats.arrow_rows import readable_columns, row_values
from lora.data.formats.interface import Entry, ManifestFormat, Reading, reject_settings
from lora.data.formats.tables import METADATA
from lora.data.manifest_lines import header_problem
from lora.data.source import Source
from lora.records.base import UserError, write_text

ROWS = "rows.jsonl"
NAME = "{:06d}"  # of a recording, by the number of its row
STATE = "state.json"
SHARD = re.compile(r"(?P<split>.+?)-(?P<number>\d{5})-of-(?P<count>\d{5})")
NAMED = re.compile(r"(?:^|[-_.])(?P<split>train|training|validation|valid|val|dev|test|eval)(?:[-_.]|$)")
BATCH = 64  # rows of a Parquet file in memory at once


def arrow_files(source: Source) -> list[Path]:
    """Files of a saved data set in the order of its rows. Raises UserError for an unreadable state.json."""
    if not source.path.is_dir():
        return [source.path]
    state = source.path / STATE
    if not state.is_file():
        return _shards_of_split(source, not_hidden(source.path.glob("*.arrow")))
    reject_settings(source, "split")
    try:
        saved = json.loads(state.read_text(encoding="utf-8"))
        names = [str(shard["filename"]) for shard in saved["_data_files"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UserError(
            f"{state}: not the state of a saved data set; save the data set again with save_to_disk"
        ) from None
    if saved.get("_indices_data_files"):  # of versions of `datasets` that did not write the selected rows alone
        raise UserError(
            f"{state}: a selection of the rows of its files; save it again with `flatten_indices().save_to_disk(...)`"
        )
    return [source.path / name for name in names]


def parquet_files(source: Source) -> list[Path]:
    if not source.path.is_dir():
        return [source.path]
    paths = not_hidden(source.path.glob("*.parquet")) or not_hidden(source.path.glob("data/*.parquet"))
    return _shards_of_split(source, paths)


def _shards_of_split(source: Source, paths: list[Path]) -> list[Path]:
    """Of files named by their split those of the source's, or all where only one split is named."""
    splits = {split for path in paths if (split := _split_of(path)) is not None}
    if source.split is None and len(splits) < 2:
        return paths
    if source.split not in splits:
        problem = f"no files of split {source.split}" if source.split else "files of several splits"
        raise UserError(f"{source.path}: {problem}; choose with `split`, one of {', '.join(sorted(splits)) or 'none'}")
    return [path for path in paths if _split_of(path) == source.split]


def _split_of(path: Path) -> str | None:
    """The split that a file is named by, as `<split>-00000-of-00002` or with a usual name such as `x-train.arrow`."""
    match = SHARD.match(path.stem) or NAMED.search(path.stem)
    return match["split"] if match else None


def unpack(source: Source, files: list[Path], folder: Path) -> int:
    """Write every recording and `rows.jsonl` to `folder`; return the number of rows.

    Audio files are numbered like the rows.

    Raises:
        UserError: for a file that cannot be read, and where no column contains audio.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = _identified_rows(source, files, folder, write=True)
    write_text(folder / ROWS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return len(rows)


def _identified_rows(source: Source, files: list[Path], folder: Path, *, write: bool) -> list[dict[str, Any]]:
    """The place of every row, and the row with its id and the path of its audio from a folder, or why it has none.

    With `write`, the recordings are written to the folder; without, there need not be any.
    """
    rows: list[dict[str, Any]] = []
    identities: list[tuple[str | None, str]] = []
    for path in files:
        for number, entry in enumerate(_rows(path, source, needs_audio=write), start=1):
            place = f"{path.name}, row {number}"
            if isinstance(entry, str):
                rows.append({"place": place, "row": entry})
                identities.append((None, ""))
                continue
            row, audio = entry
            if isinstance(audio, list):
                audio = {"array": audio, "sampling_rate": row.get(source.columns.get("sampling_rate", "sampling_rate"))}
            try:
                row["audio"], name, key = write_recording(
                    audio, folder, NAME.format(len(rows) + 1), path.parent, write=write
                )
            except (ArithmeticError, RuntimeError, TypeError, ValueError) as error:
                rows.append({"place": place, "row": f"unreadable audio: {reason_of(error)}"})
                name, key = None, ""
            else:
                rows.append({"place": place, "row": row})
            identities.append((name, key))
    _add_ids(rows, identities, Columns(source.columns))
    return rows


def read_without_recordings(source: Source, files: list[Path]) -> Reading:
    """Rows with the ids that `unpack` gives them; their audio is not written, and need not be there."""
    folder = source.path if source.path.is_dir() else source.path.parent
    rows = _identified_rows(source, files, folder, write=False)
    entries = []
    for number, entry in enumerate(rows, start=1):
        row = entry["row"]
        if isinstance(row, dict) and row["audio"] is None:
            row["audio"] = NAME.format(number)
        entries.append(Entry(number, row, entry["place"]))
    return _reading(source, folder, entries, files)


def read_unpacked(source: Source, folder: Path | None) -> Reading:
    """Rows that `unpack` wrote to `folder`. Raises UserError where nothing has been unpacked yet."""
    if folder is None or not (folder / ROWS).is_file():
        raise UserError(
            f"{source.path}: its tables contain the recordings; write them out first: "
            f"lora-diagnose convert --manifest {source.path} --output <new>.jsonl"
        )
    entries = []
    with (folder / ROWS).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            entry = json.loads(line)
            entries.append(Entry(number, entry["row"], entry["place"]))
    tables = {kind.name: kind for kind in (DATASETS, PARQUET)}
    return _reading(source, folder, entries, tables[source.format].row_files(source) if source.format in tables else [])


def _reading(source: Source, folder: Path, entries: list[Entry], files: list[Path]) -> Reading:
    mapped = {field: name for field, name in source.columns.items() if field != "samples"}
    columns = Columns({**mapped, "audio": "audio"})
    notes = list(_missing(files)) if source.path.is_dir() else []
    return Reading(source.format, folder, entries, columns, source.channel, notes=notes)


def _missing(files: list[Path]) -> Iterator[str]:
    """A note where some of the files that are numbered as `train-00000-of-00003` are not there."""
    shards = [shard for path in files if (shard := SHARD.match(path.stem)) is not None]
    for split, count in dict.fromkeys((shard["split"], shard["count"]) for shard in shards):
        there = {int(shard["number"]) for shard in shards if (shard["split"], shard["count"]) == (split, count)}
        if missing := [number for number in range(int(count)) if number not in there]:
            first = f"{split}-{missing[0]:05d}-of-{count}"
            yield f"{len(missing)} of {int(count)} files are missing, and their rows with them; the first: {first}"


def _rows(path: Path, source: Source, *, needs_audio: bool) -> Iterator[tuple[dict[str, Any], Any] | str]:
    """The columns that JSON can represent, and the audio, of every row of a file; of a broken row the reason."""
    import pyarrow

    try:
        schema, batches = _parquet(path) if source.format == "parquet" else _arrow(path)
        column = _audio_column(path, schema, source)
        if column is None and needs_audio:
            where = f" in {path.name}" if path != source.path else ""
            raise UserError(f"{source.path}: no column for audio; found {shown_columns(schema.names)}{where}")
        names = readable_columns(schema, _field_columns(source), column)
        _require_text(path, schema, names, source)
        for batch in batches:
            for row in row_values(batch.select(names), column):
                if isinstance(row, str):
                    yield row
                else:
                    yield row, None if column is None else row.pop(column)
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: cannot be read as {source.format}: {' '.join(str(error).split())}") from None


def _field_columns(source: Source) -> set[str]:
    """The column names of all fields."""
    return {name for names in Columns(source.columns).names.values() for name in names}


def _require_text(path: Path, schema: Any, names: list[str], source: Source) -> None:
    """Raise UserError for a column of texts that contains something else, where no other column has text."""
    texts = [name for name in Columns(source.columns).names["text"] if name in schema.names]
    if texts and not any(name in names for name in texts):
        kind = str(schema.field(texts[0]).type)
        raise UserError(f"{path}: column {texts[0]} is {kind:.60}; expected text. Name another one with `columns`")


def _arrow(path: Path) -> tuple[Any, Iterator[Any]]:
    import pyarrow

    memory = pyarrow.memory_map(str(path))
    try:
        stream = pyarrow.ipc.open_stream(memory)
        return stream.schema, iter(stream)
    except pyarrow.ArrowInvalid:
        memory.seek(0)
        file = pyarrow.ipc.open_file(memory)
        return file.schema, (file.get_batch(index) for index in range(file.num_record_batches))


def _parquet(path: Path) -> tuple[Any, Iterator[Any]]:
    import pyarrow.parquet

    file = pyarrow.parquet.ParquetFile(path)
    return file.schema_arrow, file.iter_batches(batch_size=BATCH)


def _audio_column(path: Path, schema: Any, source: Source) -> str | None:
    """The mapped column, else the one that `datasets` declares as audio, else one with a usual name; None without."""
    if (problem := header_problem(schema.names)) is not None:
        raise UserError(f"{path}: {problem}")
    mapped = source.columns.get("audio") or source.columns.get("samples")
    if mapped is not None and mapped in schema.names:
        return mapped
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (TypeError, KeyError, ValueError, RecursionError):
        features = {}
    # A column that was renamed or removed without `datasets` is still declared.
    kinds = {name: features.get(name) for name in schema.names} if isinstance(features, Mapping) else {}
    declared = [name for name, kind in kinds.items() if isinstance(kind, Mapping) and kind.get("_type") == "Audio"]
    usual = [name for name in (*SYNONYMS["audio"], "samples") if name in schema.names]
    if mapped is not None:
        raise UserError(
            f"{path}: columns.audio is '{mapped}', which is not a column; found {shown_columns(schema.names)}"
        )
    return next(iter([*declared, *usual]), None)


def _add_ids(rows: list[dict[str, Any]], identities: list[tuple[str | None, str]], columns: Columns) -> None:
    """Give rows without an id the data set's own name of their audio where all names differ, else its content hash.

    A path of audio outside of the data set is the id of its row where no other row has it.
    """
    names = [name for name, key in identities if name or key]
    rows_of = Counter(names)
    unique = None not in names and len(rows_of) == len(names)
    for entry, (name, key) in zip(rows, identities, strict=True):
        if (
            isinstance(entry["row"], dict)
            and columns.value(entry["row"], "id") is None
            and (identity := name if unique or (not key and rows_of[name] == 1) else key)
        ):
            entry["row"][columns.names["id"][0]] = identity


def _is_saved_data_set(folder: Path) -> bool:
    return (folder / STATE).is_file() or bool(not_hidden(folder.glob("*.arrow")))


def _is_parquet_folder(folder: Path) -> bool:
    """Whether there are Parquet files other than the metadata of an audiofolder."""
    patterns = ("*.parquet", "data/*.parquet")
    return any(file.name not in METADATA for pattern in patterns for file in not_hidden(folder.glob(pattern)))


DATASETS = ManifestFormat(
    name="datasets",
    description="Folder written by `save_to_disk` of Hugging Face `datasets`, audio included.",
    read=None,
    matches_file=lambda sample: sample.kind == "arrow",
    matches_folder=_is_saved_data_set,
    layout=STATE,
    row_files=arrow_files,
    splits_inside=True,
    unpack=unpack,
)
PARQUET = ManifestFormat(
    name="parquet",
    description="Parquet file, or folder of `<split>-00000-of-00002.parquet` files, audio included.",
    read=None,
    matches_file=lambda sample: sample.kind == "parquet",
    matches_folder=_is_parquet_folder,
    layout="*.parquet",
    row_files=parquet_files,
    splits_inside=True,
    unpack=unpack,
)
