"""fairseq: a TSV of audio files, and their texts line by line in a file of the same name.

The first line of the TSV is the folder of the audio; each other line is a file in it and its number of samples. Words
are in `<name>.wrd`, letters with `|` between words in `<name>.ltr`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import dropwhile
from pathlib import Path

from lora.data.column_names import Columns
from lora.data.existing_files import is_file, is_optional_file
from lora.data.formats.interface import (
    ROWS_COMPARED,
    Entry,
    FileSample,
    ManifestFormat,
    Reading,
    audio_root,
    reject_settings,
)
from lora.data.manifest_lines import text_lines
from lora.data.source import Source
from lora.data.text_encoding import NOT_TEXT, notes_of_files
from lora.records.base import UserError

WORDS, LETTERS = ".wrd", ".ltr"
ROW = re.compile(rb"[^\t\n]+\t\d+\s*")
Line = tuple[int, str | None]  # number, and text, None for what is no text


def is_fairseq(sample: FileSample) -> bool:
    """Whether a TSV begins with a line without a tab, and half or more of the next lines are a path and a number."""
    first, *rest = sample.text.split(b"\n", ROWS_COMPARED + 1)[: ROWS_COMPARED + 1]
    lines = [line for line in rest if line.strip()]
    return sample.kind == "tsv" and b"\t" not in first and 2 * sum(map(_is_row, lines)) >= len(lines) > 0


def _is_row(line: bytes) -> bool:
    return ROW.fullmatch(line) is not None


def fairseq_files(source: Source) -> list[Path]:
    """The TSV and its texts. Raises UserError where there are none, or words are no file."""
    for suffix in (WORDS, LETTERS):
        if is_optional_file(texts := source.path.with_suffix(suffix)):
            return [source.path, texts]
    raise UserError(
        f"{source.path}: a fairseq manifest (a folder, then files and samples) without its texts; put "
        f"{source.path.with_suffix(WORDS).name} or {source.path.with_suffix(LETTERS).name} next to it"
    )


def read_fairseq(source: Source) -> Reading:
    """Durations come from the audio headers: the numbers of samples say no rate."""
    reject_settings(source, "columns")
    _, texts_path = fairseq_files(source)
    encodings: dict[str, list[str]] = {source.path.name: [], texts_path.name: []}
    listed = text_lines(source.path, encodings[source.path.name])
    written_lines = list(dropwhile(lambda item: _is_empty(item[1]), listed))
    if not written_lines:
        raise UserError(f"{source.path}: an empty file; a fairseq manifest begins with the folder of its audio")
    (_, root), *lines = written_lines
    texts = list(text_lines(texts_path, encodings[texts_path.name]))
    _drop_empty_ends(lines, texts)
    if len(texts) != len(lines):
        raise UserError(
            f"{texts_path}: {len(texts)} texts for {len(lines)} files of {source.path.name}; a fairseq manifest has "
            "one per line, in the same order"
        )
    names = [line.split("\t")[0].strip() for _, line in lines if line is not None]
    prefix, folder, notes = _moved(source.path, (root or "").strip(), names)
    entries = []
    for (line, written), (text_line, text) in zip(lines, texts, strict=True):
        if written is None or text is None:
            entries.append(Entry(line, NOT_TEXT, f"{texts_path.name}:{text_line}" if written else None))
            continue
        if _is_empty(written):
            entries.append(Entry(line, "broken line: empty"))
            continue
        name = written.split("\t")[0].strip()
        words = "".join(text.split()).replace("|", " ") if texts_path.suffix == LETTERS else text
        row = {"id": name, "audio": str(Path(prefix, name)), "text": words}
        entries.append(Entry(line, row, places={"text": f"{texts_path.name}:{text_line}"}))
    notes += notes_of_files(encodings)
    return Reading("fairseq", folder, entries, Columns(), source.channel, table=False, notes=notes)


def _is_empty(line: str | None) -> bool:
    return line is not None and not line.strip()


def _drop_empty_ends(lines: list[Line], texts: list[Line]) -> None:
    """Drop empty last lines of both lists, or of the longer one; an empty line with a text is a broken row."""
    for each in (lines, texts):
        if each and each[-1][1] == "":
            each.pop()  # what follows the last line end
    while lines or texts:
        longest = max(len(lines), len(texts))
        ends = [each for each in (lines, texts) if len(each) == longest]
        if not all(_is_empty(each[-1][1]) for each in ends):
            return
        for each in ends:
            each.pop()


def _moved(path: Path, root: str, names: Sequence[str]) -> tuple[str, Path, list[str]]:
    """Prefix of the audio paths, the folder where they start, and a note where that is not the root of the manifest."""
    parts = Path(root).parts
    for kept in range(len(parts) + 1):
        prefix = str(Path(*parts[kept:]))
        folder = audio_root(path.parent, [str(Path(prefix, name)) for name in names])
        if any(is_file(folder / prefix / name) for name in names):
            note = f"line 1: no audio in {root}, which was read from {folder / prefix} instead"
            return prefix, folder, [note] if kept else []
    return root, path.parent, []


FAIRSEQ = ManifestFormat(
    name="fairseq",
    description="fairseq TSV (folder, then files and samples) with its texts in `.wrd` or `.ltr`.",
    read=read_fairseq,
    matches_file=is_fairseq,
    row_files=fairseq_files,
)
