"""Parquet and Arrow files that contain their audio, with damaged values and damaged bytes."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from fuzzing import hostile, material
from fuzzing.cases import Case, Outcome, Reader
from fuzzing.manifests import outcome_of
from lora.data.source import Source
from lora.stages.manifests import unpack_audio, validate_manifest

ROWS = 12
DAMAGED = 3
SAMPLES = 800  # of a recording that is a list of numbers
COLUMNS = ("id", "text", "speaker_id")


def text_array(values: list[bytes | None]) -> pyarrow.Array:
    """A column of text whose bytes nobody has checked."""
    return pyarrow.array(values, pyarrow.binary()).view(pyarrow.utf8())


def audio_value(number: int, damaged: bool, choice: random.Random) -> dict[str, Any]:
    content = material.audio(choice.choice(("wav", "flac", "ogg", "mp3")))
    if damaged and choice.random() < 0.6:
        content = hostile.damaged_bytes(content, choice)
    name = choice.choice(hostile.TEXTS).encode(errors="replace").decode() if damaged else f"u{number:02d}"
    return {"bytes": None if damaged and choice.random() < 0.2 else content, "path": name}


def samples_value(number: int, damaged: bool, choice: random.Random) -> dict[str, Any]:
    rates = [float(rate) for rate in hostile.NUMBERS if abs(rate) < 1e300 or rate != rate]
    rate = choice.choice([*rates, float("inf")]) if damaged else 16000.0
    array = material.noise(number)[:SAMPLES].tolist()
    if damaged and choice.random() < 0.3:
        array = choice.choice(([], None, [float("nan")] * 9, [1e300], [0.0]))
    return {"array": array, "sampling_rate": rate}


def table_of(choice: random.Random) -> tuple[pyarrow.Table, dict[str, float]]:
    """A table with damaged rows, and the texts of the good ones with their seconds."""
    damaged = {number for number in choice.sample(range(ROWS), DAMAGED) if hostile.is_damaged(choice, 1.0)}
    texts = {number: f"utterance {material.row_id(number)}" for number in range(ROWS)}
    columns: dict[str, list[bytes | None]] = {name: [] for name in COLUMNS}
    for number, text in texts.items():
        values = {"id": f"id{number:02d}", "text": text, "speaker_id": "s1"}
        cells: dict[str, bytes | None] = {name: value.encode() for name, value in values.items()}
        if number in damaged:
            name = choice.choice(COLUMNS)
            cells[name] = choice.choice((None, b"\xff\xfe", b"abc\x80", hostile.text(choice)))
        for name, cell in cells.items():
            columns[name].append(cell)
    kind = choice.choice((audio_value, samples_value))
    audio = [kind(number, number in damaged, choice) for number in range(ROWS)]
    data: dict[str, Any] = {name: text_array(values) for name, values in columns.items()}
    table = pyarrow.table({**data, "audio": audio})
    if choice.random() < 0.5:
        info = {"info": {"features": {"audio": {"_type": "Audio"}}}}
        table = table.replace_schema_metadata({"huggingface": json.dumps(info)})
    seconds = material.SECONDS if kind is audio_value else SAMPLES / material.RATE
    return table, {text: seconds for number, text in texts.items() if number not in damaged}


def make(format: str, folder: Path, choice: random.Random) -> Case:
    table, good = table_of(choice)
    data = folder / "data"
    data.mkdir()
    if format == "parquet":
        path = data / "train-00000-of-00001.parquet"
        compression = choice.choice(("none", "snappy", "zstd"))
        pyarrow.parquet.write_table(table, path, compression=compression, use_dictionary=choice.random() < 0.5)
    else:
        path = data / "data-00000-of-00001.arrow"
        with pyarrow.ipc.new_stream(path, table.schema) as stream:
            stream.write_table(table, max_chunksize=5)
        (data / "state.json").write_text(json.dumps({"_data_files": [{"filename": path.name}]}))
    whole = choice.random() < 0.6
    if whole:
        damaged = choice.choice(sorted(data.iterdir()))
        damaged.write_bytes(hostile.damaged_bytes(damaged.read_bytes(), choice))
    source, out = Source(data if choice.random() < 0.5 else path), folder / "out"
    if format == "datasets" and source.path == path:
        source = Source(path)

    def read() -> None:
        unpack_audio(source, out / "audio")
        validate_manifest(source, out / "rows.jsonl", out / "rejected.tsv", unpacked=out / "audio")

    def outcome() -> Outcome:
        found = outcome_of(out / "rows.jsonl", out / "rejected.tsv")
        return replace(found, kept={text: seconds for text, (_, seconds, _) in found.kept.items()})

    return Case(read, outcome, {} if whole else good, refusable=whole, rows=ROWS)


READERS = [Reader(f"tables: {format}", partial(make, format)) for format in ("parquet", "datasets")]
