"""The manifest formats, detection of a manifest's format, and reading a manifest of any format.

To add a format, write a module with a `ManifestFormat` and list it in `FORMATS`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from lora.data.existing_files import exists, require_file
from lora.data.formats.arrow_tables import DATASETS, PARQUET, read_unpacked, read_without_recordings
from lora.data.formats.fairseq import FAIRSEQ
from lora.data.formats.funasr import FUNASR
from lora.data.formats.hub import HUB
from lora.data.formats.interface import FileSample, ManifestFormat, Reading
from lora.data.formats.kaldi import KALDI
from lora.data.formats.lhotse import LHOTSE
from lora.data.formats.librispeech import LIBRISPEECH
from lora.data.formats.seamless import SEAMLESS
from lora.data.formats.speechbrain import SPEECHBRAIN
from lora.data.formats.tables import AUDIOFOLDER, COMMON_VOICE, CSV, JSONL, NEMO, TSV
from lora.data.manifest_lines import GZIP
from lora.data.recognised_columns import with_recognised_columns
from lora.data.source import AUTO, Source
from lora.records.base import UserError

# A file has the first format that matches it, so special formats come before general ones.
_IN_ORDER = (
    KALDI,
    LIBRISPEECH,
    LHOTSE,
    AUDIOFOLDER,
    DATASETS,
    PARQUET,
    HUB,
    COMMON_VOICE,
    NEMO,
    SPEECHBRAIN,
    FAIRSEQ,
    FUNASR,
    SEAMLESS,
    CSV,
    TSV,
    JSONL,
)
FORMATS: dict[str, ManifestFormat] = {kind.name: kind for kind in _IN_ORDER}
# What damaged data leads to in code that reads it, of ours and of libraries.
BROKEN = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
SAMPLE_BYTES = 1_000_000  # of a file that detection reads; cuts and inline samples make long lines


def read_source(source: Source, unpacked: Path | None = None) -> Reading:
    """Rows of a manifest of any format.

    Args:
        source: the manifest.
        unpacked: folder to which `unpack_audio` wrote the recordings of a manifest that contains them.

    Raises:
        UserError: where the manifest as a whole cannot be used, or none of its audio can be found.
    """
    reading = _read_source(source, unpacked)
    if reading.no_audio is not None:
        raise UserError(reading.no_audio)
    return reading


def _read_source(source: Source, unpacked: Path | None = None) -> Reading:
    found = detect_format(source)
    read = FORMATS[found.format].read
    try:
        reading = read_unpacked(found, unpacked) if read is None else read(found)
        reading = with_recognised_columns(reading, found.path)
    except BROKEN as error:
        raise UserError(_broken(found, error)) from None
    if source.split is None and found.path != source.path:
        note = f"the only split was taken: {found.path.relative_to(source.path)}"
        return replace(reading, notes=(*reading.notes, note))
    return reading


def read_references(source: Source) -> Reading:
    """Rows of a manifest whose audio is not used; recordings that its own files contain are not written.

    Raises:
        UserError: where the manifest as a whole cannot be used.
    """
    found = detect_format(source)
    if FORMATS[found.format].unpack is None or FORMATS[found.format].remote:
        return _read_source(source)
    try:
        return with_recognised_columns(read_without_recordings(found, _row_files(found)), found.path)
    except BROKEN as error:
        raise UserError(_broken(found, error)) from None


def manifest_files(source: Source) -> list[Path]:
    """Files whose changes invalidate the manifest: those that contain its rows, without audio files."""
    return _row_files(detect_format(source))


def _row_files(source: Source) -> list[Path]:
    files = FORMATS[source.format].row_files(source)
    for path in files:
        require_file(path, "manifest")
    return files


def contains_audio(source: Source) -> bool:
    """Whether the manifest's own files contain the recordings."""
    return FORMATS[detect_format(source).format].unpack is not None


def unpack_audio(source: Source, folder: Path) -> int:
    """Write the recordings that a manifest's files contain to `folder`; return the number of rows."""
    source = detect_format(source)
    unpack = FORMATS[source.format].unpack
    if unpack is None:
        raise UserError(f"{source.path}: a manifest of format {source.format} contains no audio to unpack")
    try:
        return unpack(source, _row_files(source), folder)
    except BROKEN as error:
        raise UserError(_broken(source, error)) from None


def _broken(source: Source, error: Exception) -> str:
    reason = " ".join(str(error).split())[:300] or type(error).__name__
    return f"{source.path}: cannot be read as {source.format}: {reason}; replace the file"


def formats_table() -> str:
    """The formats as a Markdown table, for docs/data.md."""
    from tabulate import tabulate

    rows = [(f"`{kind.name}`", kind.description) for kind in FORMATS.values()]
    table: str = tabulate(rows, headers=("format", "what it is"), tablefmt="pipe", disable_numparse=True)
    return table


def detect_format(source: Source) -> Source:
    """The same manifest with its format, and with the path of its split.

    Reads only the beginning of a file, because the workflow calls this at every start.

    Raises:
        UserError: where the path does not exist, no format or several formats match, or a split has to be named.
    """
    path = source.path
    if source.format != AUTO and FORMATS[source.format].remote:
        return source
    require_file(path, "manifest")
    if not exists(path):
        raise UserError(f"{path}: no such manifest; correct the path{_hub_hint(path)}")
    if path.is_dir():
        return _detect_folder(source)
    if source.split is not None:
        raise UserError(f"{path}: `split` selects a part of a folder, but this is a file; remove it")
    if source.format == AUTO:
        sample = FileSample(path, _beginning(path))
        return replace(source, format=next(name for name, kind in FORMATS.items() if kind.matches_file(sample)))
    if FORMATS[source.format].folder_only:
        raise UserError(
            f"{path}: a manifest of format {source.format} is a folder, but this is a file; name its folder"
        )
    return source


def _hub_hint(path: Path) -> str:
    looks_like_id = len(path.parts) == 2 and not path.is_absolute() and not path.suffix and not path.parent.exists()
    return ", or set `format: hub` for a data set of the Hugging Face hub" if looks_like_id else ""


def _detect_folder(source: Source) -> Source:
    path = source.path
    split = source.split
    if split is not None and (not (parts := Path(split).parts) or ".." in parts or Path(split).is_absolute()):
        raise UserError(f"{path}: split {split!r:.60}: expected the name of a part of this folder; correct it")
    if split is not None and (path / split).is_dir():
        return _detect_folder(replace(source, path=path / split, split=None))
    candidates = [kind for name, kind in FORMATS.items() if source.format in {AUTO, name}]
    if split is not None:
        for kind in candidates:
            if (table := kind.split_file(path, split)) is not None:
                return replace(source, path=table, split=None, format=kind.name)
    matching = _matching(candidates, path)
    if not matching and split is None and len(only := _split_names(path)) == 1:
        return _detect_folder(replace(source, split=only[0]))
    if len(matching) > 1:
        names = " or ".join(kind.name for kind in matching)
        raise UserError(f"{path}: could be {names}; choose one with `format`")
    if not matching:
        raise UserError(f"{path}: {_unknown_folder(source)}")
    if split is not None and not matching[0].splits_inside:
        whole = f"; it is one {matching[0].name} manifest: remove `split`"
        raise UserError(f"{path}: no split '{split}' in it{_split_choices(path) or whole}")
    return replace(source, format=matching[0].name)


def _matching(formats: Iterable[ManifestFormat], folder: Path) -> list[ManifestFormat]:
    formats = list(formats)
    first = [kind for kind in formats if not kind.searched_last and kind.matches_folder(folder)]
    return first or [kind for kind in formats if kind.searched_last and kind.matches_folder(folder)]


def _unknown_folder(source: Source) -> str:
    """Why a folder is not a manifest, and what was expected."""
    choices = _split_choices(source.path)
    if source.split is not None:
        return f"no split '{source.split}' in it{choices}"
    if choices:
        return f"contains several splits{choices}"
    nothing = "no manifest" if source.format == AUTO else f"no manifest of format {source.format}"
    expected = ", ".join(f"{kind.layout} ({kind.name})" for kind in FORMATS.values() if kind.layout)
    return f"{nothing} found in this folder; expected {expected}, or the name of a file in it"


def _split_choices(folder: Path) -> str:
    """The splits of a folder, as the end of an error message; empty where there are none."""
    names = _split_names(folder)
    return f"; choose with `split`, one of {', '.join(names)}" if names else ""


def _split_names(folder: Path) -> list[str]:
    names = [entry.name for entry in sorted(folder.iterdir()) if entry.is_dir() and _matching(FORMATS.values(), entry)]
    for kind in FORMATS.values():
        names += kind.split_names(folder)
    return names


def _beginning(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            compressed = file.read(len(GZIP)) == GZIP
        if compressed:
            with gzip.open(path) as unpacked:
                return unpacked.read(SAMPLE_BYTES)
        with path.open("rb") as file:
            return file.read(SAMPLE_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return b""  # the reader reports what is wrong
    except OSError as error:
        raise UserError(f"{path}: cannot read the manifest: {error.strerror}") from None
