"""Which format a manifest has, by the layout of a folder or the content of a file; a person may say it instead.

Nothing here reads more of a file than its beginning, because the workflow asks each time it starts.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora.data.formats.arrow_tables import STATE
from lora.data.formats.lhotse import is_cut, is_other_lhotse
from lora.data.formats.librispeech import is_librispeech
from lora.data.formats.plain import CLIPS, FILE_NAME, METADATA
from lora.data.manifest_lines import GZIP, text_kind
from lora.data.source import AUTO, Source
from lora.records.base import UserError

BEGINNING = 1_000_000  # bytes of a file that are looked at; cuts and inline samples make long lines
WHOLE_FOLDERS = ("kaldi", "librispeech")


def detect_format(source: Source) -> Source:
    """The same manifest with its format, and with the path of its split.

    Raises UserError where nothing is there, nothing or too much is recognised, or a split has to be named.
    """
    path = source.path
    if not path.exists():
        raise UserError(f"{path}: no such manifest")
    if path.is_dir():
        return _folder(source)
    if source.split is not None:
        raise UserError(f"{path}: `split` chooses a part of a folder, and this is a file; remove it")
    if source.format in WHOLE_FOLDERS:
        raise UserError(f"{path}: format {source.format} is a folder, and this is a file; name its folder")
    return source if source.format != AUTO else replace(source, format=_format_of_file(path))


def _folder(source: Source) -> Source:
    path, split = source.path, source.split
    if split is not None and (path / split).is_dir():
        return _folder(replace(source, path=path / split, split=None))
    if split is not None and source.format in {AUTO, "common_voice"} and (path / f"{split}.tsv").is_file():
        return replace(source, path=path / f"{split}.tsv", split=None, format="common_voice")
    kinds = [name for name, fits in LAYOUTS.items() if fits(path)]
    if not kinds and is_librispeech(path):
        kinds = ["librispeech"]
    if source.format != AUTO:
        kinds = [kind for kind in kinds if kind == source.format]
    if len(kinds) > 1:
        raise UserError(f"{path}: could be {' or '.join(kinds)}; say which with `format`")
    if not kinds:
        raise UserError(f"{path}: {_nothing(source)}")
    if split is not None and kinds[0] not in {"parquet", "datasets"}:
        whole = f"; it is one {kinds[0]} manifest: remove `split`"
        raise UserError(f"{path}: no split '{split}' in it{_choices(path) or whole}")
    return replace(source, format=kinds[0])


def _nothing(source: Source) -> str:
    """What to say of a folder that is no manifest as it stands."""
    choices = _choices(source.path)
    if source.split is not None:
        return f"no split '{source.split}' in it{choices}"
    if choices:
        return f"holds several splits{choices}"
    asked = "no manifest" if source.format == AUTO else f"nothing of format {source.format}"
    return (
        f"{asked} found in this folder; expected wav.scp and text (kaldi), *.trans.txt (librispeech), {STATE} "
        f"(datasets), metadata.csv or .jsonl (audiofolder), *.parquet, or the name of a file in it"
    )


def _choices(path: Path) -> str:
    """The splits that a folder holds, as the end of a message."""
    folders = [
        entry.name
        for entry in sorted(path.iterdir())
        if entry.is_dir() and (any(fits(entry) for fits in LAYOUTS.values()) or is_librispeech(entry))
    ]
    tables = sorted(file.stem for file in path.glob("*.tsv")) if (path / CLIPS).is_dir() else []
    names = [*folders, *tables]
    return f"; choose with `split`, one of {', '.join(names)}" if names else ""


LAYOUTS: dict[str, Callable[[Path], bool]] = {
    "kaldi": lambda path: (path / "wav.scp").is_file(),
    "datasets": lambda path: (path / STATE).is_file() or any(path.glob("*.arrow")),
    "audiofolder": lambda path: any((path / name).is_file() for name in METADATA),
    "parquet": lambda path: any(
        file.name not in METADATA for pattern in ("*.parquet", "data/*.parquet") for file in path.glob(pattern)
    ),
}


def _format_of_file(path: Path) -> str:
    start = _start(path)
    if start.startswith(b"PAR1"):
        return "audiofolder" if path.name in METADATA else "parquet"
    if start.startswith((b"ARROW1", b"\xff\xff\xff\xff")) and path.suffix == ".arrow":
        return "datasets"
    if path.name in {"wav.scp", "segments", "utt2spk"}:
        raise UserError(f"{path}: a file of a Kaldi data folder; name the folder {path.parent}")
    kind = text_kind(path)
    if kind != "jsonl":
        return _format_of_table(kind, start)
    return _format_of_rows(path, start)


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
        if packed:
            with gzip.open(path) as unpacked:
                return unpacked.read(BEGINNING)
        with path.open("rb") as file:
            return file.read(BEGINNING)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b""  # reading it will say what is wrong
    except OSError as error:
        raise UserError(f"{path}: cannot read the manifest: {error.strerror}") from None


def _format_of_table(kind: str, start: bytes) -> str:
    lines = start.decode("utf-8-sig", errors="replace").splitlines()
    header = next((line for line in lines if line.strip()), "")
    names = {
        name.strip().strip('"') for name in (next(csv.reader([header]), []) if kind == "csv" else header.split("\t"))
    }
    if FILE_NAME in names:
        return "audiofolder"
    return "common_voice" if kind == "tsv" and {"client_id", "path", "sentence"} <= names else kind


def _format_of_rows(path: Path, start: bytes) -> str:
    row = _first_row(start)
    if is_cut(row):
        return "lhotse"
    if is_other_lhotse(row):
        raise UserError(
            f"{path}: recordings or supervisions of lhotse by themselves; join them to cuts: "
            "`lhotse cut simple -r recordings.jsonl.gz -s supervisions.jsonl.gz cuts.jsonl.gz`"
        )
    if FILE_NAME in row:
        return "audiofolder"
    return "nemo" if {"audio_filepath", "duration"} <= row.keys() else "jsonl"


def _first_row(start: bytes) -> dict[str, Any]:
    """The first line that is an object; none in a file without one."""
    for line in start.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            return row
    return {}
