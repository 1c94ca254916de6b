"""Transcripts of every format, imported for rows of a manifest. A damaged file may be refused as a whole: an utterance
that is left out would change the score."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from fuzzing import hostile
from fuzzing.cases import Case, Outcome, Reader
from fuzzing.manifests import cell, word
from lora.records.base import read_lines, write_lines
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.stages.imports import import_transcripts

ROWS = 20
DAMAGED = 4
Row = dict[str, Any]
Write = Callable[[Path, list[Row]], Path]


def rows_of() -> list[Row]:
    return [
        {"id": f"rec{n:02d}", "hypothesis": f"hypothesis {n} of the model", "reference": f"reference {n} of the file"}
        for n in range(ROWS)
    ]


def written(path: Path, lines: list[str]) -> Path:
    path.write_bytes("".join(f"{line}\n" for line in lines).encode(errors="replace"))
    return path


def write_jsonl(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "h.jsonl", [hostile.as_json(row) for row in rows])


def write_json_list(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "h.json", ["[", ",\n".join(map(hostile.as_json, rows)), "]"])


def write_predictions(folder: Path, rows: list[Row]) -> Path:
    names = {"id": "ids", "hypothesis": "predictions", "reference": "references"}
    lists = {name: [row.get(key) for row in rows] for key, name in names.items()}
    return written(folder / "h.json", [hostile.as_json({"id": lists.pop("ids"), **lists})])


def write_table(separator: str, name: str, folder: Path, rows: list[Row]) -> Path:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    cells = [keys, *([cell(row.get(key, "")).replace(separator, " ") for key in keys] for row in rows)]
    return written(folder / name, [separator.join(line) for line in cells])


def write_parquet(folder: Path, rows: list[Row]) -> Path:
    path = folder / "h.parquet"
    keys = dict.fromkeys(key for row in rows for key in row)
    pyarrow.parquet.write_table(pyarrow.table({key: [cell(row.get(key)) for row in rows] for key in keys}), path)
    return path


def write_trn(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "h.trn", [f"{cell(row.get('hypothesis'))} ({word(row.get('id'))})" for row in rows])


def write_text(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "h.txt", [f"{word(row.get('id'))} {cell(row.get('hypothesis'))}" for row in rows])


def write_lines_only(folder: Path, rows: list[Row]) -> Path:
    return written(folder / "h.txt", [cell(row.get("hypothesis")) for row in rows])


def write_recogs(folder: Path, rows: list[Row]) -> Path:
    lines = []
    for row in rows:
        for kind, key in (("ref", "reference"), ("hyp", "hypothesis")):
            lines.append(f"{word(row.get('id'))}: {kind}={cell(str(row.get(key)).split())}")
    return written(folder / "recogs-test.txt", lines)


def write_ctm(folder: Path, rows: list[Row]) -> Path:
    lines = [
        f"{word(row.get('id'))} 1 {0.1 * place:g} 0.1 {spoken}"
        for row in rows
        for place, spoken in enumerate(cell(row.get("hypothesis")).split())
    ]
    return written(folder / "h.ctm", lines)


def write_stm(folder: Path, rows: list[Row]) -> Path:
    lines = [f"{word(row.get('id'))} 1 s 0 1 {cell(row.get('hypothesis'))}" for row in rows]
    return written(folder / "h.stm", lines)


def write_segments(folder: Path, rows: list[Row]) -> Path:
    home = folder / "segments"
    home.mkdir()
    for number, row in enumerate(rows):
        content = {"text": "x", "segments": [{"start": 0.0, "end": 1.0, "text": row.get("hypothesis")}]}
        written(home / f"rec{number:02d}.json", [hostile.as_json(content)])
    return home


FORMATS: dict[str, Write] = {
    "jsonl": write_jsonl,
    "json list": write_json_list,
    "predictions": write_predictions,
    "csv": partial(write_table, ",", "h.csv"),
    "tsv": partial(write_table, "\t", "h.tsv"),
    "parquet": write_parquet,
    "trn": write_trn,
    "text": write_text,
    "lines": write_lines_only,
    "recogs": write_recogs,
    "ctm": write_ctm,
    "stm": write_stm,
    "segments": write_segments,
}


NAMES = {"json list": "jsonl"}  # of formats that are called otherwise here


def make(format: str, folder: Path, choice: random.Random) -> Case:
    rows = rows_of()
    numbers = choice.sample(range(1, ROWS), DAMAGED)
    in_values = choice.random() < 0.5
    if in_values:
        rows = [hostile.damaged_object(row, choice) if n in numbers else row for n, row in enumerate(rows)]
    path = FORMATS[format](folder, rows)
    good = {row["hypothesis"]: f"rec{n:02d}" for n, row in enumerate(rows_of()) if n not in numbers and in_values}
    if not in_values:
        _damage(path, choice)
    settings = _settings(folder, choice)
    offset = 0.0 if format == "stm" else None  # rows of an stm are pieces of recordings
    utterances = [
        Utterance(id=f"rec{n:02d}", text="x", duration=1.0, offset=offset, audio=f"rec{n:02d}.wav", line=n + 1)
        for n in range(ROWS)
    ]
    write_lines(folder / "rows.jsonl", utterances)
    out = folder / "out"

    name = None if choice.random() < 0.7 else NAMES.get(format, format)

    def read() -> None:
        outputs = out / "t.jsonl", out / "s.json", out / "a.json"
        import_transcripts("run", "test", folder / "rows.jsonl", path, *outputs, recorded=settings, format=name)

    def outcome() -> Outcome:
        return Outcome({one.hypothesis: one.id for one in read_lines(out / "t.jsonl", Transcript)})

    return Case(read, outcome, good, rows=ROWS)


def _damage(path: Path, choice: random.Random) -> None:
    file = choice.choice(sorted(path.iterdir())) if path.is_dir() else path
    content = file.read_bytes()
    if choice.random() < 0.5:
        file.write_bytes(hostile.damaged_bytes(content, choice))
        return
    lines = content.split(b"\n")
    place = choice.randrange(len(lines))
    lines[place] = hostile.damaged_line(lines[place], choice)
    file.write_bytes(b"\n".join(lines))


def _settings(folder: Path, choice: random.Random) -> Path | None:
    """Settings next to the transcripts: none, healthy ones, or damaged ones."""
    if choice.random() < 0.6:
        return None
    healthy: Row = {
        "model": {"id": "m", "hash": "abc", "family": "whisper"},
        "decode": {"num_beams": 1, "max_new_tokens": 100},
        "preprocess": {"sampling_rate": 16000, "target_rms": None},
        "device": {"type": "cpu", "dtype": "float32"},
        "software": {"torch": "2"},
        "manifest": {"rows": 20},
    }
    path = folder / "h.settings.json"
    if choice.random() < 0.6:
        path.write_text(hostile.as_json(hostile.damaged_object(healthy, choice)))
    else:
        path.write_bytes(hostile.damaged_bytes(json.dumps(healthy).encode(), choice))
    return path


READERS = [Reader(f"transcripts: {format}", partial(make, format)) for format in FORMATS]
