"""Data sets that hold their audio inside: what `datasets` saves to disk (Arrow), and Parquet files.

Before anything can be heard, `unpack` writes the recordings as files, and the other columns as JSON lines beside them;
`read_unpacked` reads those. Bytes are written as they are, samples as 32-bit float WAV, which keeps each of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lora.data.formats.reading import Entry, Reading, refuse
from lora.data.row_fields import SYNONYMS, Columns
from lora.data.source import Source
from lora.provenance.hashes import content_hash
from lora.records.base import UserError, write_text

ROWS = "rows.jsonl"
STATE = "state.json"
PART = re.compile(r"(?P<split>.+?)-\d{5}-of-\d{5}")
BATCH = 64  # rows of a Parquet file in memory at once
BEGINNINGS = {b"RIFF": ".wav", b"fLaC": ".flac", b"OggS": ".ogg", b"ID3": ".mp3"}
BEGINNINGS |= {b"\xff\xfb": ".mp3", b"\xff\xf3": ".mp3", b"\xff\xf2": ".mp3"}


def arrow_files(source: Source) -> list[Path]:
    """Files of a saved data set in the order of its rows. Raises UserError where it names files that are not there."""
    if not source.path.is_dir():
        return [source.path]
    state = source.path / STATE
    if not state.is_file():
        return _parts(source, sorted(source.path.glob("*.arrow")))
    refuse(source, "split")
    try:
        names = [str(part["filename"]) for part in json.loads(state.read_text(encoding="utf-8"))["_data_files"]]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{state}: not the state of a saved data set; save it again with save_to_disk") from None
    return [source.path / name for name in names]


def parquet_files(source: Source) -> list[Path]:
    if not source.path.is_dir():
        return [source.path]
    found = sorted(source.path.glob("*.parquet")) or sorted(source.path.glob("data/*.parquet"))
    return _parts(source, found)


def _parts(source: Source, found: list[Path]) -> list[Path]:
    """Of files named `<split>-00000-of-00002` those of the source's split, or all where they are of one."""
    splits = {match["split"] for path in found if (match := PART.match(path.stem))}
    if source.split is None and len(splits) < 2:
        return found
    if source.split not in splits:
        told = f"no files of split {source.split}" if source.split else "files of several splits"
        raise UserError(f"{source.path}: {told}; choose with `split`, one of {', '.join(sorted(splits)) or 'none'}")
    return [path for path in found if (match := PART.match(path.stem)) and match["split"] == source.split]


def unpack(source: Source, files: list[Path], folder: Path) -> int:
    """Write every recording and `rows.jsonl` into `folder`; returns how many rows there are.

    Audio files are numbered as the rows are. Raises UserError naming a file that cannot be read, or the columns where
    none holds audio.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    known: list[tuple[str | None, str]] = []
    for path in files:
        for number, (row, audio) in enumerate(_rows(path, source), start=1):
            if isinstance(audio, list):
                audio = {"array": audio, "sampling_rate": row.get(source.columns.get("sampling_rate", "sampling_rate"))}
            written, name, key = _write(audio, folder, f"{len(rows) + 1:06d}", path.parent)
            row["audio"] = written
            rows.append({"place": f"{path.name}, row {number}", "row": row})
            known.append((name, key))
    _name_rows(rows, known, Columns(source.columns))
    write_text(folder / ROWS, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return len(rows)


def read_unpacked(source: Source, folder: Path | None) -> Reading:
    """Rows that `unpack` wrote. Raises UserError where nothing was unpacked yet."""
    if folder is None or not (folder / ROWS).is_file():
        raise UserError(
            f"{source.path}: its recordings lie inside its tables; write them out first: "
            f"python scripts/convert_manifest.py --manifest {source.path} --output <new>.jsonl"
        )
    entries = []
    with (folder / ROWS).open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            entry = json.loads(line)
            entries.append(Entry(number, entry["row"], entry["place"]))
    mapped = {field: name for field, name in source.columns.items() if field != "samples"}
    columns = Columns({**mapped, "audio": "audio"})
    return Reading(source.format, folder, entries, columns, source.channel)


def _rows(path: Path, source: Source) -> Iterator[tuple[dict[str, Any], Any]]:
    """Columns that JSON can hold, and the audio, of every row of a file."""
    import pyarrow

    try:
        schema, batches = _parquet(path) if source.format == "parquet" else _arrow(path)
        column = _audio_column(schema, source)
        for batch in batches:
            for row in batch.to_pylist():
                audio = row.pop(column)
                plain = {k: v for k, v in row.items() if v is None or isinstance(v, str | int | float)}
                yield plain, audio
    except (pyarrow.ArrowException, OSError) as error:
        raise UserError(f"{path}: cannot be read as {source.format}: {' '.join(str(error).split())}") from None


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


def _audio_column(schema: Any, source: Source) -> str:
    """As mapped, else the column that `datasets` declared as audio, else one with a usual name."""
    mapped = source.columns.get("audio") or source.columns.get("samples")
    if mapped is not None and mapped in schema.names:
        return mapped
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    except (TypeError, KeyError, ValueError):
        features = {}
    declared = [name for name, kind in features.items() if isinstance(kind, Mapping) and kind.get("_type") == "Audio"]
    usual = [name for name in (*SYNONYMS["audio"], "samples") if name in schema.names]
    if mapped is not None or not [*declared, *usual]:
        asked = f"columns.audio names '{mapped}', which is no column" if mapped else "no column for audio"
        raise UserError(f"{source.path}: {asked}; found {', '.join(schema.names[:12])}")
    return str([*declared, *usual][0])


def _write(audio: Any, folder: Path, number: str, origin: Path) -> tuple[str | None, str | None, str]:
    """What `audio` of a row becomes, the name the data set has for it, and a hash of its content ("" without any)."""
    if not isinstance(audio, Mapping):
        return (None if audio is None else _from(folder, origin, str(audio))), None, ""
    name = audio.get("path") if isinstance(audio.get("path"), str) else None
    content, samples = audio.get("bytes"), _samples(audio.get("array"), audio.get("sampling_rate"))
    if isinstance(content, bytes) and content:
        path = folder / f"{number}{_suffix(content, name)}"
        path.write_bytes(content)
        return path.name, name, content_hash(content)
    if samples is not None:
        import soundfile

        soundfile.write(folder / f"{number}.wav", samples.T, int(audio["sampling_rate"]), subtype="FLOAT")
        return f"{number}.wav", name, content_hash(samples.tobytes())
    return (None if name is None else _from(folder, origin, name)), name, ""


def _samples(array: Any, rate: Any) -> npt.NDArray[np.float32] | None:
    """Samples, shape (n,) or (channels, n), or null where these are none or the rate is no whole number of Hz."""
    if array is None or not isinstance(rate, int | float) or rate < 1 or rate != int(rate):
        return None
    try:
        samples = np.asarray(array, dtype="<f4")
    except (TypeError, ValueError):
        return None
    return samples if samples.ndim in {1, 2} else None


def _from(folder: Path, origin: Path, name: str) -> str:
    """A path that a data set keeps, for rows in `folder`."""
    return name if Path(name).is_absolute() else os.path.relpath(origin / name, folder)


def _suffix(content: bytes, name: str | None) -> str:
    found = next((suffix for start, suffix in BEGINNINGS.items() if content.startswith(start)), None)
    return found or (Path(name).suffix.lower() if name else "") or ".audio"


def _name_rows(rows: list[dict[str, Any]], known: list[tuple[str | None, str]], columns: Columns) -> None:
    """Ids for rows that have none: the data set's own name of the audio where each has another, else its hash."""
    names = [name for name, key in known if name or key]
    unique = None not in names and len(set(names)) == len(names)
    for entry, (name, key) in zip(rows, known, strict=True):
        if columns.value(entry["row"], "id") is None and (identity := name if unique else key):
            entry["row"][columns.names["id"][0]] = identity
