"""All formats of manifests: how each is read, and the files that its rows stand in. A new one is an entry here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lora.data.formats.arrow_tables import arrow_files, parquet_files, read_unpacked, unpack
from lora.data.formats.detection import detect_format
from lora.data.formats.kaldi import kaldi_files, read_kaldi
from lora.data.formats.lhotse import read_lhotse
from lora.data.formats.librispeech import librispeech_files, read_librispeech
from lora.data.formats.plain import metadata_of, read_audiofolder, read_common_voice, read_nemo, read_table
from lora.data.formats.reading import Reading
from lora.data.source import Source


@dataclass(frozen=True)
class Format:
    """`files` are those that rows are read from, audio not among them. Without `read`, audio lies inside of them."""

    read: Callable[[Source], Reading] | None
    files: Callable[[Source], list[Path]] = lambda source: [source.path]


FORMATS: dict[str, Format] = {
    "jsonl": Format(read_table),
    "csv": Format(read_table),
    "tsv": Format(read_table),
    "nemo": Format(read_nemo),
    "lhotse": Format(read_lhotse),
    "common_voice": Format(read_common_voice),
    "kaldi": Format(read_kaldi, kaldi_files),
    "librispeech": Format(read_librispeech, librispeech_files),
    "audiofolder": Format(read_audiofolder, lambda source: [metadata_of(source.path)]),
    "datasets": Format(None, arrow_files),
    "parquet": Format(None, parquet_files),
}


def read_source(source: Source, unpacked: Path | None = None) -> Reading:
    """Rows of a manifest of any format; `unpacked` is where `unpack_audio` wrote recordings that lie inside tables.

    Raises UserError where the manifest is unusable as a whole.
    """
    source = detect_format(source)
    read = FORMATS[source.format].read
    return read_unpacked(source, unpacked) if read is None else read(source)


def manifest_files(source: Source) -> list[Path]:
    """What an edit of makes the manifest another one."""
    source = detect_format(source)
    return FORMATS[source.format].files(source)


def contains_audio(source: Source) -> bool:
    """Whether recordings lie inside the manifest's own files."""
    return FORMATS[detect_format(source).format].read is None


def unpack_audio(source: Source, folder: Path) -> int:
    """Write recordings that lie inside a manifest's files into `folder`; returns the number of rows."""
    found = detect_format(source)
    return unpack(found, FORMATS[found.format].files(found), folder)
