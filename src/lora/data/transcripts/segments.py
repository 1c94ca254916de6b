"""Timed segments of recordings (`start`, `end`, `text`), one file per recording or a folder of such files.

Whisper and faster-whisper write JSON with `segments` (and `words` in them where asked), the pipeline of transformers
JSON with `chunks`, Whisper also TSV in milliseconds; others write CSV in seconds. The recording is that of the file's
name. Without times of words, the words of a segment are spread evenly over it; a text alone has words without times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lora.data.json_lines import writable
from lora.data.time_text import plain_number
from lora.data.transcripts.column_rows import read_rows
from lora.data.transcripts.columns import FILES
from lora.data.transcripts.ctm import UNTIMED, Word
from lora.data.transcripts.json_text import json_content
from lora.records.base import UserError

Lines = Callable[[Path], Iterable[tuple[int, str]]]
SUFFIXES = (".json", ".csv", ".tsv", ".txt")  # a folder has the first of these; `whisper` writes all of them at once
SETTINGS = ".settings.json"
COLUMNS = {"start", "end", "text"}
SEGMENT_LIST = re.compile(r'"(segments|chunks)"\s*:\s*\[|^\s*\[\s*\{[^{}]*"(start|end)"\s*:')


def looks_like_segments(lines: Sequence[str]) -> bool:
    """Whether the first lines begin a JSON file of segments, or a table of segments of one recording."""
    if lines[0].lstrip()[:1] in {"{", "["}:
        rows = sum(line.startswith("{") and line.rstrip().endswith("}") for line in lines)
        return rows <= 1 and SEGMENT_LIST.search(" ".join(lines)) is not None
    header = {cell.strip(' "').lower() for cell in re.split(r"[,\t]", lines[0])}
    return header >= COLUMNS and not header & {*FILES, "id"}


def files_of(folder: Path) -> list[Path]:
    """Files of a folder, one per recording.

    Raises UserError for a folder without them, and for a name that is not UTF-8, which no result can contain.
    """
    files = [file for file in sorted(folder.iterdir()) if file.is_file() and not file.name.endswith(SETTINGS)]
    for suffix in SUFFIXES:
        if found := [file for file in files if file.suffix.lower() == suffix]:
            if (odd := next((file for file in found if not writable(file.name)), None)) is not None:
                raise UserError(f"{odd}: its name is not UTF-8; rename the file")
            return found
    raise UserError(f"{folder}: a folder without transcripts; expected one {', '.join(SUFFIXES)} file per recording")


def read_recordings(path: Path, lines: Lines) -> dict[str, list[Word]]:
    """Words by recording, in order of time."""
    if not path.is_dir():
        return {path.stem: read_recording(path, lines)}
    words: dict[str, list[Word]] = {}
    for file in files_of(path):
        words[file.stem] = read_recording(file, lines)
    return words


def read_recording(path: Path, lines: Lines) -> list[Word]:
    """Words of one file. Raises UserError for a file that has no segments."""
    suffix = path.suffix.lower()
    if suffix == ".txt":
        return _without_times(" ".join(line for _, line in lines(path)))
    if suffix in {".csv", ".tsv"}:
        rows = list(read_rows(path, lines(path), suffix[1:]))
        # Whisper writes whole milliseconds into TSV files.
        whole = suffix == ".tsv" and all(str(row.get("end")).isdecimal() for _, row in rows)
        scale = 0.001 if whole else 1.0
        entries = [(f"{path}:{number}", row) for number, row in rows]
    else:
        content = json_content(path, "\n".join(line for _, line in lines(path)))
        if (text := _text_alone(content)) is not None:
            return _without_times(text)
        entries, scale = _json_entries(path, content), 1.0
    words = [word for where, segment in entries for word in _words(where, segment, scale)]
    return sorted(words, key=lambda word: word.start)


def _without_times(text: str) -> list[Word]:
    return [Word(UNTIMED, UNTIMED, word) for word in text.split()]


def _text_alone(content: Any) -> str | None:
    """The text of a JSON file that has no segments; None for one that has."""
    if not isinstance(content, dict) or content.get("segments") or content.get("chunks"):
        return None
    text = content.get("text")
    return text if isinstance(text, str) else None


def _json_entries(path: Path, content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    segments = content
    if isinstance(content, dict):
        segments = content.get("segments") or list(map(_segment_of_chunk, content.get("chunks") or [])) or None
    if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
        raise UserError(f"{path}: no segments; expected `text` and a list `segments` with start, end and text")
    return [(f"{path}: segment {number}", segment) for number, segment in enumerate(segments, start=1)]


def _segment_of_chunk(chunk: Any) -> Any:
    """A chunk of the pipeline of transformers as a segment; the last one may have no end."""
    times = chunk.get("timestamp") if isinstance(chunk, dict) else None
    if not isinstance(times, list) or len(times) != 2:
        return chunk
    return {"start": times[0], "end": times[0] if times[1] is None else times[1], "text": chunk.get("text")}


def _words(where: str, segment: Mapping[str, Any], scale: float) -> list[Word]:
    """The words of a segment with their own times, else spread evenly."""
    text, start, end = segment.get("text"), _seconds(segment.get("start")), _seconds(segment.get("end"))
    if not isinstance(text, str) or start is None or end is None or end < start:
        shown = {name: segment.get(name) for name in ("start", "end", "text")}
        raise UserError(
            f"{where}: expected start, end (seconds from 0, end after start) and text; found {shown!r:.120}"
        )
    given = segment.get("words")
    if isinstance(given, list) and all(map(_is_word, given)) and any(map(_is_timed, given)):
        return list(_timed_words(given, start))
    written = text.split()
    step = (end - start) * scale / max(len(written), 1)
    return [Word(start * scale + step * place, step, word) for place, word in enumerate(written)]


def _timed_words(given: Sequence[Mapping[str, Any]], start: float) -> Iterator[Word]:
    """Words with their times; one without (WhisperX aligns no digits) is where the word before it ends."""
    for word in given:
        end = start
        if _is_timed(word):
            start, end = float(word["start"]), max(float(word["start"]), float(word["end"]))
        if text := word["word"].strip():
            yield Word(start, end - start, text)
        start = end


def _is_word(word: Any) -> bool:
    return isinstance(word, dict) and isinstance(word.get("word"), str)


def _is_timed(word: Mapping[str, Any]) -> bool:
    return _seconds(word.get("start")) is not None and _seconds(word.get("end")) is not None


def _seconds(value: Any) -> float | None:
    try:
        number = plain_number(value) if isinstance(value, str) else value
        seconds = math.nan if isinstance(value, bool) else float(number)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None
