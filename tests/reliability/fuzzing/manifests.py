"""Manifests of every format in which the rows are text, with damaged rows among good ones."""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from fuzzing import hostile, material
from fuzzing.cases import Case, Outcome, Reader
from lora.data.manifest import read_rows
from lora.data.source import Source
from lora.data.tables import read_cells
from lora.data.transcripts.reference_rows import reference_rows
from lora.records.base import columns_of
from lora.records.integrity import AudioMeasure
from lora.records.manifests import Utterance
from lora.stages.manifests import inspect_audio, validate_manifest

Row = dict[str, Any]
FRAMES = round(material.SECONDS * material.RATE)
DAMAGED = 0.3  # share of the rows
WHOLE_FILE = 0.2  # share of the cases in which the damage is anywhere in the files
INSPECTED = 0.15  # share of the cases in which the audio is decoded


class Written(NamedTuple):
    """A manifest: what to name, the file with a row per line from `first` on, and all files."""

    path: Path
    rows: Path
    first: int = 0


Write = Callable[[Path, list[Row]], Written]


def healthy_rows(folder: Path) -> list[Row]:
    """Rows whose audio is in `folder` as `u0000.wav` and so on."""
    (folder / "clips").symlink_to(material.folder())
    for number in range(material.ROWS):
        (folder / material.audio_name(number)).symlink_to(material.folder() / material.audio_name(number))
    return [
        {
            "id": material.row_id(number),
            "audio": material.audio_name(number),
            "text": f"utterance {material.row_id(number)} of this file",
            "duration": material.SECONDS,
            "speaker_id": f"s{number % 4}",
        }
        for number in range(material.ROWS)
    ]


def cell(value: Any) -> str:
    """A value as a cell of a table of text, on one line."""
    text = value if isinstance(value, str) else hostile.as_json(value)
    return text.encode(errors="replace").decode().replace("\n", " ").replace("\r", " ")


def word(value: Any) -> str:
    """A value as one field of a file whose fields are separated by spaces."""
    return "".join(cell(value).split()) or "x"


def json_lines(path: Path, rows: list[Any]) -> Written:
    path.write_text("".join(hostile.as_json(row) + "\n" for row in rows))
    return Written(path, path)


def write_jsonl(folder: Path, rows: list[Row]) -> Written:
    return json_lines(folder / "m.jsonl", rows)


def write_json_list(folder: Path, rows: list[Row]) -> Written:
    path = folder / "m.json"
    path.write_text("[\n" + ",\n".join(map(hostile.as_json, rows)) + "\n]\n")
    return Written(path, path)


def write_nemo(folder: Path, rows: list[Row]) -> Written:
    names = {"audio": "audio_filepath", "speaker_id": "speaker"}
    return json_lines(folder / "m.json", [{names.get(key, key): value for key, value in row.items()} for row in rows])


def write_table(separator: str, names: dict[str, str], name: str, folder: Path, rows: list[Row]) -> Written:
    keys = list(dict.fromkeys(key for row in rows for key in row))
    text = io.StringIO()
    if separator == ",":
        table = csv.writer(text, lineterminator="\n")
        table.writerow([names.get(key, key) for key in keys])
        table.writerows([cell(row.get(key, "")) for key in keys] for row in rows)
    else:
        lines = [[names.get(key, key) for key in keys], *([cell(row.get(key, "")) for key in keys] for row in rows)]
        text.writelines("\t".join(part.replace("\t", " ") for part in line) + "\n" for line in lines)
    path = folder / name
    path.write_text(text.getvalue())
    return Written(path, path, first=1)


def write_audiofolder(folder: Path, rows: list[Row]) -> Written:
    written = json_lines(folder / "metadata.jsonl", [{"file_name": row.get("audio"), **row} for row in rows])
    return Written(folder, written.rows)


def write_common_voice(folder: Path, rows: list[Row]) -> Written:
    kept = [{key: row.get(key, "") for key in ("speaker_id", "audio", "text")} for row in rows]
    names = {"speaker_id": "client_id", "audio": "path", "text": "sentence"}
    return write_table("\t", names, "train.tsv", folder, kept)


def write_speechbrain_csv(folder: Path, rows: list[Row]) -> Written:
    names = {"id": "ID", "audio": "wav", "text": "wrd", "speaker_id": "spk_id"}
    return write_table(",", names, "m.csv", folder, rows)


def write_speechbrain_json(folder: Path, rows: list[Row]) -> Written:
    path = folder / "m.json"
    entries = [
        f"{json.dumps(material.row_id(number))}: "
        + hostile.as_json(
            {
                "wav": f"{{data_root}}/{row['audio']}" if isinstance(row.get("audio"), str) else row.get("audio"),
                "length": row.get("duration"),
                "words": row.get("text"),
            }
        )
        for number, row in enumerate(rows)
    ]
    path.write_text("{\n" + ",\n".join(entries) + "\n}\n")
    return Written(path, path)


def write_funasr(folder: Path, rows: list[Row]) -> Written:
    entries = [{"key": row.get("id"), "source": row.get("audio"), "target": row.get("text")} for row in rows]
    return json_lines(folder / "m.jsonl", entries)


def write_seamless(folder: Path, rows: list[Row]) -> Written:
    entries = [
        {
            "source": {"id": row.get("id"), "audio_local_path": row.get("audio"), "lang": "eng"},
            "target": {"id": row.get("id"), "text": row.get("text"), "lang": row.get("speaker_id")},
        }
        for row in rows
    ]
    return json_lines(folder / "m.jsonl", entries)


def cut_of(row: Row) -> Row:
    seconds = row.get("duration")
    part = {"id": row.get("id"), "start": 0.0, "duration": seconds, "channel": 0, "text": row.get("text")}
    part["speaker"] = row.get("speaker_id")
    recording = {"sources": [{"type": "file", "channels": [0], "source": row.get("audio")}], "duration": seconds}
    cut = {"id": row.get("id"), "start": 0.0, "duration": seconds, "channel": 0, "type": "MonoCut"}
    return {**cut, "supervisions": [part], "recording": recording}


def write_lhotse(folder: Path, rows: list[Row]) -> Written:
    return json_lines(folder / "m.jsonl", [cut_of(row) for row in rows])


def write_fairseq(folder: Path, rows: list[Row]) -> Written:
    path = folder / "m.tsv"
    lines = [f"{cell(row.get('audio')).replace(chr(9), ' ') or 'x'}\t{FRAMES}" for row in rows]
    path.write_text("\n".join([str(folder), *lines]) + "\n")
    path.with_suffix(".wrd").write_text("".join(f"{cell(row.get('text'))}\n" for row in rows))
    return Written(path, path, first=1)


def write_kaldi(folder: Path, rows: list[Row]) -> Written:
    keys = [word(row.get("id")) for row in rows]
    files = {
        "text": [f"{key} {cell(row.get('text'))}" for key, row in zip(keys, rows, strict=True)],
        "wav.scp": [f"{key} {cell(row.get('audio'))}" for key, row in zip(keys, rows, strict=True)],
        "utt2dur": [f"{key} {cell(row['duration'])}" for key, row in zip(keys, rows, strict=True) if "duration" in row],
        "utt2spk": [f"{key} {cell(row.get('speaker_id'))}" for key, row in zip(keys, rows, strict=True)],
    }
    for name, lines in files.items():
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
    return Written(folder, folder / "text")


def write_kaldi_segments(folder: Path, rows: list[Row]) -> Written:
    written = write_kaldi(folder, rows)
    (folder / "utt2dur").unlink()
    lines = [f"{word(row.get('id'))} {word(row.get('id'))} 0 {word(row.get('duration', -1))}" for row in rows]
    (folder / "segments").write_text("".join(f"{line}\n" for line in lines))
    return Written(folder, written.rows)


def write_librispeech(folder: Path, rows: list[Row]) -> Written:
    chapter = folder / "tree" / "7" / "1"
    chapter.mkdir(parents=True)
    for number in range(material.ROWS):
        (chapter / f"{material.row_id(number)}.wav").symlink_to(material.folder() / material.audio_name(number))
    path = chapter / "7-1.trans.txt"
    path.write_text("".join(f"{word(row.get('id'))} {cell(row.get('text'))}\n" for row in rows))
    return Written(folder / "tree", path)


FORMATS: dict[str, tuple[str, Write]] = {
    "jsonl": ("jsonl", write_jsonl),
    "json list": ("jsonl", write_json_list),
    "csv": ("csv", partial(write_table, ",", {}, "m.csv")),
    "tsv": ("tsv", partial(write_table, "\t", {}, "m.tsv")),
    "nemo": ("nemo", write_nemo),
    "lhotse": ("lhotse", write_lhotse),
    "kaldi": ("kaldi", write_kaldi),
    "kaldi segments": ("kaldi", write_kaldi_segments),
    "common_voice": ("common_voice", write_common_voice),
    "librispeech": ("librispeech", write_librispeech),
    "audiofolder": ("audiofolder", write_audiofolder),
    "speechbrain csv": ("speechbrain", write_speechbrain_csv),
    "speechbrain json": ("speechbrain", write_speechbrain_json),
    "fairseq": ("fairseq", write_fairseq),
    "funasr": ("funasr", write_funasr),
    "seamless": ("seamless", write_seamless),
}
# Formats in which all rows are one value, so that a damaged byte can end what comes after it.
UNTIMED = {"jsonl", "csv", "tsv", "kaldi", "audiofolder", "speechbrain"}  # formats without a duration in some rows
ONE_VALUE = {"json list", "speechbrain json"}


def make(name: str, folder: Path, choice: random.Random) -> Case:
    """A manifest with damaged values, damaged lines, or damage anywhere in its files."""
    format, write = FORMATS[name]
    rows = healthy_rows(folder)
    damaged = sorted(choice.sample(range(1, len(rows)), round(DAMAGED * len(rows))))
    audio = "{id}.wav" if name == "librispeech" else "{audio}"
    good = {
        row["text"]: (audio.format(**row), material.SECONDS, 0)
        for number, row in enumerate(rows)
        if number not in damaged
    }
    kind = choice.random()
    in_values = kind < 0.5
    if in_values:
        rows = [hostile.damaged_object(row, choice) if n in damaged else row for n, row in enumerate(rows)]
        if format in UNTIMED:
            rows = [_untimed(row) if choice.random() < 0.3 else row for row in rows]
    written = write(folder, rows)
    if not in_values and kind < 1 - WHOLE_FILE:
        _damage_lines(written, [number + written.first for number in damaged], choice)
    elif not in_values:
        files = [path for path in folder.iterdir() if path.is_file() and not path.is_symlink()] or [written.rows]
        path = choice.choice(sorted(files))
        path.write_bytes(hostile.damaged_bytes(path.read_bytes(), choice))
        good = {}
    if written.path.is_file() and choice.random() < 0.05 and written.path.suffix == ".jsonl":
        path = written.path.with_suffix(".jsonl.gz")
        path.write_bytes(gzip.compress(written.path.read_bytes()))
        written = written._replace(path=path)
    broken_off = name in ONE_VALUE and not in_values
    return _case(
        Source(written.path, format=format if choice.random() < 0.5 or not good else "auto"),
        folder / "out",
        {} if broken_off else good,
        refusable=not good or broken_off,
        inspected=choice.random() < INSPECTED,
    )


def _untimed(row: Row) -> Row:
    return {key: value for key, value in row.items() if key != "duration"}


def _damage_lines(written: Written, numbers: list[int], choice: random.Random) -> None:
    lines = written.rows.read_bytes().split(b"\n")
    for number in numbers:
        lines[number] = hostile.damaged_line(lines[number], choice)
    written.rows.write_bytes(b"\n".join(lines))


def _case(source: Source, out: Path, good: dict[str, object], refusable: bool, inspected: bool) -> Case:
    """Reads a manifest twice: as the workflow does, and for its references alone, as a quick comparison does."""
    rows, rejected, measures = out / "rows.jsonl", out / "rejected.tsv", out / "measures.tsv"
    references: set[str] = set()

    def read() -> None:
        if inspected:
            inspect_audio(source, measures)
        validate_manifest(source, rows, rejected, out / "facts.json", measures if inspected else None)
        references.update(row.text for row in reference_rows(source, silence=False).rows)

    def outcome() -> Outcome:
        validated = outcome_of(rows, rejected, measures)
        return replace(validated, kept={text: read for text, read in validated.kept.items() if text in references})

    return Case(read, outcome, good, refusable, rows=material.ROWS)


def outcome_of(rows: Path, rejected: Path, measures: Path | None = None) -> Outcome:
    """What validation wrote, read as the next stages read it."""
    if measures is not None and measures.is_file():
        list(read_cells(measures, columns_of(AudioMeasure)))
    reasons = [reason for _, _, reason in read_cells(rejected, ("line", "id", "reason"))]
    return Outcome({row.text: read_of(row) for row in read_rows(rows)}, reasons)


def read_of(row: Utterance) -> tuple[str | None, float, float]:
    """What else than its text is read of a row: name of the file, seconds, and where it begins."""
    return row.audio and Path(row.audio).name, round(row.duration, 2), row.offset or 0


READERS = [Reader(f"manifest: {name}", partial(make, name)) for name in FORMATS]
