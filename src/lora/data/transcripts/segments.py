"""Timed segments of recordings (`start`, `end`, `text`), one file per recording or a folder of such files.

Whisper and faster-whisper write JSON with `segments` (and `words` in them where asked), the pipeline of transformers
JSON with `chunks`, whisper.cpp JSON with `transcription`; Whisper writes TSV and whisper.cpp CSV in milliseconds,
others write CSV in seconds. The recording is that of the file's name. Without times of words, the words of a segment
are spread evenly over it; a text alone has words without times.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from lora.data.column_names import MILLISECONDS
from lora.data.existing_files import not_hidden
from lora.data.json_lines import writable
from lora.data.time_text import seconds_in_text
from lora.data.transcripts.column_rows import read_rows
from lora.data.transcripts.columns import FILES
from lora.data.transcripts.ctm import UNTIMED, Word
from lora.data.transcripts.json_text import json_content
from lora.records.base import UserError

Lines = Callable[[Path], Iterable[tuple[int, str]]]
Entry = tuple[str, Mapping[str, Any]]  # the place of a segment in its file, and the segment
SUFFIXES = (".json", ".csv", ".tsv", ".txt")  # a folder has the first of these; `whisper` writes all of them at once
SETTINGS = ".settings.json"
COLUMNS = {"start", "end", "text"}
LISTS = ("segments", "chunks", "transcription")  # of a JSON file
SEGMENT_LIST = re.compile(r'"(segments|chunks)"\s*:\s*\[|^\s*\{\s*"systeminfo"\s*:|^\s*\[\s*\{[^{}]*"(start|end)"\s*:')
TIMES = re.compile(r"^([\d:.,]+ --> [\d:.,]+|\d+[.,]\d+\t\d+[.,]\d+(\t|$))")  # of subtitles, of labels of Audacity
TIMES_IN_TEXT = "subtitles (srt or vtt) or labels with times; write JSON or CSV with start, end and text instead"
GOES_BACK = 1.0  # seconds that a segment may begin before the one above it
WHOLE = 0.75  # of the rows of a table have times that are whole numbers, where all of them should
FEWEST_PER_SECOND = 0.1  # characters of speech; people say 3 to 20, which are 0.003 to 0.02 per millisecond


def looks_like_segments(lines: Sequence[str]) -> bool:
    """Whether the first lines begin a JSON file of segments, or a table of segments of one recording."""
    if lines[0].lstrip()[:1] in {"{", "["}:
        rows = sum(line.startswith("{") and line.rstrip().endswith("}") for line in lines)
        return rows <= 1 and SEGMENT_LIST.search(" ".join(lines)) is not None
    header = {cell.strip(' "').lower() for cell in re.split(r"[,;|\t]", lines[0])}
    return header >= COLUMNS and not header & {*FILES, "id"}


def files_of(folder: Path) -> list[Path]:
    """Files of a folder, one per recording.

    Raises UserError for a folder without them, and for a name that is not UTF-8, which no result can contain.
    """
    files = [file for file in not_hidden(folder.iterdir()) if file.is_file() and not file.name.endswith(SETTINGS)]
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
        texts = [line for _, line in lines(path) if line.strip()]
        if any(map(TIMES.search, texts)):
            raise UserError(f"{path}: {TIMES_IN_TEXT}")
        return _without_times(" ".join(texts))
    if suffix in {".csv", ".tsv"}:
        rows = read_rows(path, lines(path), suffix[1:])
        table = [(f"{path}:{number}", {name.lower(): cell for name, cell in row.items()}) for number, row in rows]
        return _in_order(table, MILLISECONDS if _in_milliseconds([row for _, row in table]) else 1.0)
    content = json_content(path, "\n".join(line for _, line in lines(path)))
    if (text := _text_alone(content)) is not None:
        return _without_times(text)
    entries = _json_entries(path, content)
    whole = content.get("text") if isinstance(content, dict) else None
    whole = whole if isinstance(whole, str) else ""
    if _start_again([segment for _, segment in entries]) and _letters(*_texts(entries)) == _letters(whole):
        return _without_times(whole)
    by_whisper_cpp = all("offsets" in segment for _, segment in entries)
    return _in_order(entries, MILLISECONDS if by_whisper_cpp else 1.0, whole)


def _in_order(entries: Sequence[Entry], scale: float, whole: str = "") -> list[Word]:
    """The words of all segments in order of time; `whole` is their text, where the file has it."""
    words = [
        word
        for (where, segment), continues in zip(entries, _continuing(_texts(entries), whole), strict=True)
        for word in _words(where, segment, scale, continues)
    ]
    return sorted(words, key=lambda word: word.start)


def _texts(entries: Sequence[Entry]) -> list[str]:
    texts = [segment.get("text") for _, segment in entries]
    return [text if isinstance(text, str) else "" for text in texts]


def _letters(*texts: str) -> str:
    return "".join("".join(texts).split())


def _in_milliseconds(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether times are whole numbers, and are milliseconds by the number of characters that were said in them.

    Most rows decide, so that a damaged one costs no other.
    """
    texts = [row for row in rows if str(row.get("text")).strip()]
    whole = [row for row in texts if all(str(row.get(name)).strip().isdecimal() for name in ("start", "end"))]
    slow = sum(
        len(str(row.get("text"))) < FEWEST_PER_SECOND * (float(row["end"]) - float(row["start"])) for row in whole
    )
    return len(whole) >= WHOLE * len(texts) and 2 * slow > len(whole)


def _start_again(segments: Sequence[Mapping[str, Any]]) -> bool:
    """Whether times go back: some versions of transformers count the seconds of every window of 30 s from 0."""
    starts = [_seconds(segment.get("start")) or 0.0 for segment in segments]
    return any(before - after > GOES_BACK for before, after in pairwise(starts))


def _continuing(pieces: Sequence[str], whole: str) -> list[bool]:
    """Whether each piece of a text continues the word before it.

    Tools that write the spaces between words as a part of them split words: " d", "'avoir" is one word. They do where
    the pieces are the whole text without anything between them, or where most of them begin with a space.
    """
    spaced = 2 * sum(piece[:1].isspace() for piece in pieces) > len(pieces)
    if not spaced and "".join(pieces).split() != whole.split():
        return [False] * len(pieces)
    return [
        not (before[-1:] or " ").isspace() and not piece[:1].isspace()
        for before, piece in zip(["", *pieces], pieces, strict=False)
    ]


def _without_times(text: str) -> list[Word]:
    return [Word(UNTIMED, UNTIMED, word) for word in text.split()]


def _text_alone(content: Any) -> str | None:
    """The text of a JSON file that has no segments; None for one that has."""
    if not isinstance(content, dict) or _list(content):
        return None
    text = content.get("text")
    return text if isinstance(text, str) else None


def _json_entries(path: Path, content: Any) -> list[Entry]:
    segments = content
    if isinstance(content, dict):
        segments = _list(content)
    if not isinstance(segments, list) or not all(isinstance(segment, dict) for segment in segments):
        raise UserError(f"{path}: no segments; expected `text` and a list `segments` with start, end and text")
    return [(f"{path}: segment {number}", _segment(entry)) for number, entry in enumerate(segments, start=1)]


def _list(content: Mapping[str, Any]) -> Any:
    """The segments of a JSON object, if it has any; a text may be called `transcription` too."""
    return next((content[name] for name in LISTS if isinstance(content.get(name), list) and content[name]), None)


def _segment(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """A segment, also of a chunk of the pipeline of transformers, whose last one may have no end, or of whisper.cpp."""
    times, offsets = entry.get("timestamp"), entry.get("offsets")
    if isinstance(times, list) and len(times) == 2:
        return {"start": times[0], "end": times[0] if times[1] is None else times[1], "text": entry.get("text")}
    if isinstance(offsets, dict):
        return {**entry, "start": offsets.get("from"), "end": offsets.get("to")}
    return entry


def _words(where: str, segment: Mapping[str, Any], scale: float, continues: bool) -> Iterator[Word]:
    """The words of a segment with their own times, else spread evenly; `continues` is about the first of them."""
    text, start, end = segment.get("text"), _seconds(segment.get("start")), _seconds(segment.get("end"))
    if not isinstance(text, str) or start is None or end is None or end < start:
        shown = {name: segment.get(name) for name in ("start", "end", "text")}
        raise UserError(
            f"{where}: expected start, end (seconds from 0, end after start) and text; found {shown!r:.120}"
        )
    given = segment.get("words")
    if isinstance(given, list) and all(_word_text(word) is not None for word in given) and any(map(_word_times, given)):
        yield from _timed_words(given, text, start, continues)
        return
    written = text.split()
    step = (end - start) * scale / max(len(written), 1)
    for place, word in enumerate(written):
        yield Word(start * scale + step * place, step, word, continues=continues and place == 0)


def _timed_words(given: Sequence[Mapping[str, Any]], text: str, start: float, continues: bool) -> Iterator[Word]:
    """Words with their times; one without (WhisperX aligns no digits) is where the word before it ends."""
    texts = [_word_text(word) or "" for word in given]
    continuing = _continuing(texts, text)
    for word, written, joins in zip(given, texts, [continues, *continuing[1:]], strict=True):
        end = start
        if (times := _word_times(word)) is not None:
            start, end = times[0], max(times)
        if written := written.strip():
            yield Word(start, end - start, written, continues=joins)
        start = end


def _word_text(word: Any) -> str | None:
    """The text of a word, which whisper-timestamped calls `text`."""
    text = word.get("word", word.get("text")) if isinstance(word, dict) else None
    return text if isinstance(text, str) else None


def _word_times(word: Mapping[str, Any]) -> tuple[float, float] | None:
    start, end = _seconds(word.get("start")), _seconds(word.get("end"))
    return None if start is None or end is None else (start, end)


def _seconds(value: Any) -> float | None:
    try:
        number = seconds_in_text(value) if isinstance(value, str) else value
        seconds = math.nan if isinstance(value, bool) else float(number)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < math.inf else None
