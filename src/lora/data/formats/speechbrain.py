"""SpeechBrain: a CSV with `ID`, `wav` and texts, or a JSON object with one row per id.

Paths begin with a variable for the data folder (`$data_root`, `{data_root}`), which recipes replace when they read the
file. It stands here for the manifest's folder, a folder above it, or the working folder, whichever contains the audio.

A row with `start` and `stop` is a piece of a recording, in samples of its file (as in the recipes of telephone speech).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from lora.data.column_names import Columns
from lora.data.existing_files import is_file
from lora.data.formats.interface import FileSample, ManifestFormat, Reading, audio_root
from lora.data.formats.tables import read_table
from lora.data.manifest_lines import text_kind
from lora.data.source import Source

VARIABLE = re.compile(r"(\$\{?\w+\}?|\{\w+\})/*")
AUDIO, LENGTH, DURATION, OFFSET = "wav", "length", "duration", "offset"
PIECE, DIGITS = ("start", "stop"), 18


def is_speechbrain(sample: FileSample) -> bool:
    if sample.kind != "jsonl":
        return {"ID", AUDIO} <= sample.header
    return sample.mostly(_is_speechbrain_row)


def _is_speechbrain_row(row: Mapping[str, Any]) -> bool:
    return isinstance(row.get(AUDIO), str) and (LENGTH in row or VARIABLE.match(row[AUDIO]) is not None)


def read_speechbrain(source: Source) -> Reading:
    reading = read_table(replace(source, format=text_kind(source.path)))
    rows = [entry.row for entry in reading.entries if isinstance(entry.row, dict)]
    columns = dict(source.columns)
    if sum(LENGTH in row for row in rows) > sum(DURATION in row for row in rows):
        columns.setdefault(DURATION, LENGTH)
    name = columns.get("audio", AUDIO)
    variables = [match for row in rows if (match := VARIABLE.match(str(row.get(name))))]
    entries = [entry._replace(row=_without_variable(entry.row, name)) for entry in reading.entries]
    paths = [str(entry.row.get(name)) for entry in entries if isinstance(entry.row, dict)]
    folder = audio_root(source.path.parent, paths)
    no_audio = None
    if variables and not any(is_file(folder / path) for path in paths):
        written, variable = variables[0].string, variables[0][1]
        no_audio = (
            f"{source.path}: audio paths begin with {variable} ({written}), and no folder from {source.path.parent} "
            f"upwards contains {paths[0]}; replace {variable} in the file by the folder of the data"
        )
    notes = reading.notes
    if variables and no_audio is None:
        notes = [*notes, f"{variables[0][1]} of the audio paths is {folder}"]
    read = Columns(columns)
    if "offset" not in columns:
        read = replace(read, names={**read.names, "offset": (OFFSET,)})
        duration = columns.get(DURATION, DURATION)
        entries = [entry._replace(row=_with_piece(entry.row, folder, name, duration)) for entry in entries]
    return Reading("speechbrain", folder, entries, read, source.channel, notes=notes, no_audio=no_audio)


def _with_piece(row: dict[str, Any] | str, folder: Path, audio: str, duration: str) -> dict[str, Any] | str:
    """The row with offset and duration in seconds, where it is a piece of its file by whole numbers of samples.

    Instead of a row whose piece is impossible, the reason.
    """
    if isinstance(row, str) or not isinstance(row.get(audio), str):
        return row
    written = [str(row.get(name)).strip() for name in PIECE]
    if not all(text.isdecimal() for text in written):
        return row
    if any(len(text) > DIGITS for text in written):
        return f"{' or '.join(PIECE)} is no sample of a file: {max(written, key=len):.40}"
    start, stop = map(int, written)
    if start >= stop > 0:
        return f"zero length: it stops at sample {stop} and starts at sample {start}"
    rate, samples = _rate_and_samples(folder / row[audio])
    if not rate or stop == 0 or (start == 0 and stop == samples):
        return row
    return {**row, OFFSET: start / rate, duration: (stop - start) / rate}


@lru_cache(maxsize=1024)  # rows of a recording follow one another
def _rate_and_samples(path: Path) -> tuple[int, int]:
    """Sampling rate and samples per channel of a file; zeros where it cannot be read, which rejects its rows later."""
    import soundfile

    try:
        info = soundfile.info(str(path))
    except (OSError, RuntimeError, TypeError, ValueError):
        return 0, 0
    return int(info.samplerate), int(info.frames)


def _without_variable(row: dict[str, Any] | str, name: str) -> dict[str, Any] | str:
    if isinstance(row, str) or not isinstance(row.get(name), str):
        return row
    return {**row, name: VARIABLE.sub("", row[name], count=1) if VARIABLE.match(row[name]) else row[name]}


SPEECHBRAIN = ManifestFormat(
    name="speechbrain",
    description="SpeechBrain CSV (`ID`, `duration`, `wav`, `spk_id`, `wrd`) or JSON by id.",
    read=read_speechbrain,
    matches_file=is_speechbrain,
)
