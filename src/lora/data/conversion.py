"""Convert a manifest of any format to JSON lines, with audio paths relative to the new file.

Recordings that the manifest contains become files in `<name>.audio/` next to the new one.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lora.data.audio.wav_file import write_wav
from lora.data.formats.arrow_tables import ROWS
from lora.data.formats.registry import contains_audio, manifest_files, unpack_audio
from lora.data.manifest import Manifest, read_manifest, rebase
from lora.data.manifest_rows import Rejected
from lora.data.source import Source
from lora.records.base import UserError, write_lines
from lora.records.declared_durations import Declared, common_unit, wrong_durations
from lora.records.manifests import Utterance
from lora.records.temporary_files import temporary_for

WRITTEN_BY_US = re.compile(r"\d{6}\.\w+")  # names of audio files of an earlier conversion
REASONS_SHOWN = 5
END_TOLERANCE = 0.1  # seconds that a segment may end after its file, because times are rounded


def convert(
    source: Source, output: Path, tolerance: float, force: bool = False, spoken: Callable[[str], str] = str
) -> Manifest:
    """Write the usable rows of a manifest to `output`; return the manifest with paths relative to it.

    Nothing is written where no row is usable. All files appear at once or, on an error, none.

    Args:
        source: the manifest.
        output: the JSON lines file to write.
        tolerance: relative difference allowed between a row's duration and its audio header.
        force: overwrite an existing output.
        spoken: removes markup from a transcript; rows that it leaves empty are rejected.

    Raises:
        UserError: where the output exists and `force` is not set, and where the manifest as a whole cannot be read.
    """
    if output.is_dir():
        raise UserError(f"{output}: it is a folder; name a file")
    audio = output.with_name(f"{output.stem}.audio")
    if output == audio:
        raise UserError(
            f"{output}: the folder of recordings would have this name; name an output such as {output.stem}.jsonl"
        )
    for path in (output, audio):
        if path.exists() and not force:
            raise UserError(f"{path}: exists already; name another output, or overwrite it with --force")
    if output.exists() and any(output.samefile(path) for path in manifest_files(source)):
        raise UserError(
            f"{output}: is the manifest to convert, and its rejected rows would be lost; name another output"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    building = temporary_for(audio)
    building.mkdir()
    try:
        audio_inside = contains_audio(source)
        if audio_inside:
            unpack_audio(source, building)
        manifest = _with_texts(_with_checked_durations(read_manifest(source, building), tolerance), spoken)
        (building / ROWS).unlink(missing_ok=True)
        rows = rebase(manifest.rows, audio if audio_inside else manifest.folder, output.parent)
        # Line numbers of the old file have no meaning in the new one.
        written = [replace(row, line=None) for row in _samples_to_files(rows, building, audio.name)]
        if written:
            _move_audio(building, audio)
            write_lines(output, written)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return replace(manifest, rows=written, folder=output.parent)


def _with_texts(manifest: Manifest, spoken: Callable[[str], str]) -> Manifest:
    """The manifest with every transcript as `spoken` returns it."""
    rows = [replace(row, text=spoken(row.text)) for row in manifest.rows]
    empty = [Rejected(row.line or 0, row.id, "empty text without its markup") for row in rows if not row.text]
    rejected = sorted([*manifest.rejected, *empty], key=lambda entry: entry.line)
    return replace(manifest, rows=[row for row in rows if row.text], rejected=rejected)


def _samples_to_files(rows: Iterable[Utterance], folder: Path, name: str) -> Iterator[Utterance]:
    """The same rows, with inline samples written to numbered files in `folder`, which will be renamed to `name`."""
    for number, row in enumerate(rows, start=1):
        if row.samples is None or row.sampling_rate is None:
            yield row
            continue
        file = f"{number:06d}.wav"
        write_wav(folder / file, np.asarray(row.samples, dtype=np.float32), row.sampling_rate, "FLOAT")
        yield replace(row, audio=f"{name}/{file}", samples=None, sampling_rate=None)


def _move_audio(building: Path, audio: Path) -> None:
    """Move the new audio folder, unless it is empty, over that of an earlier conversion."""
    if not any(building.iterdir()):
        return
    if audio.exists() or audio.is_symlink():
        is_folder = audio.is_dir() and not audio.is_symlink()  # files of a linked folder are somebody else's
        earlier = list(audio.iterdir()) if is_folder else [audio]
        if not all(WRITTEN_BY_US.fullmatch(path.name) and path.is_file() for path in earlier):
            raise UserError(f"{audio}: contains files that were not written by a conversion; name another output")
        for path in earlier:
            path.unlink()
    building.rename(audio)


def conversion_summary(source: Source, manifest: Manifest) -> str:
    """Text that describes what was read: format, columns, rows, audio, and why rows were rejected."""
    hours = sum(row.duration for row in manifest.rows) / 3600
    speakers = len({row.speaker_id for row in manifest.rows} - {None})
    lines = [f"{source.path}: read as {manifest.format}"]
    if manifest.columns:
        columns = [f"{field} from {name}" for field, name in manifest.columns.items()]
        lines.append(f"columns: {', '.join(columns)}")
    lines += [note if note.startswith("warning: ") else f"note: {note}" for note in manifest.notes]
    lines.append(f"rows: {len(manifest.rows)} usable, {len(manifest.rejected)} rejected")
    lines.append(f"hours: {hours:.3f}; speakers: {speakers or 'not named'}")
    lines += _audio_lines(manifest)
    kinds = Counter(_kind(entry) for entry in manifest.rejected)
    for kind, count in kinds.most_common(REASONS_SHOWN):
        first = next(entry for entry in manifest.rejected if _kind(entry) == kind)
        lines.append(f"rejected: {count} x {kind}; first: line {first.line}: {first.reason}")
    return "\n".join(lines)


def _kind(entry: Rejected) -> str:
    """The kind of a rejection: its reason without details and place."""
    return re.split(r"[:,(]", entry.reason)[0].strip()


def _audio_lines(manifest: Manifest) -> list[str]:
    """Sampling rates and channels from the headers of the files, and warnings about rows that contradict them."""
    kinds: Counter[str] = Counter()
    headers = _headers(manifest)
    missing_channel: list[Utterance] = []
    past_end: list[Utterance] = []
    for row in manifest.rows:
        if row.audio is None:
            continue
        info = headers[row.audio]
        if info is None:
            kinds["cannot be opened"] += 1
            continue
        kinds[f"{info.samplerate} Hz with {info.channels} channel{'s' * (info.channels > 1)}"] += 1
        if row.channel is not None and row.channel >= info.channels:
            missing_channel.append(row)
        if row.offset is not None and row.offset + row.duration > info.duration + END_TOLERANCE:
            past_end.append(row)
    counts = ", ".join(f"{kind} ({n} rows)" for kind, n in kinds.most_common())
    lines = [f"audio: {counts or 'none'}"]
    if missing_channel:
        lines.append(
            f"warning: {len(missing_channel)} rows name a channel (from 0) that their file does not have; a study "
            f"rejects them; first: {missing_channel[0].id}, channel {missing_channel[0].channel}"
        )
    if past_end:
        end = (past_end[0].offset or 0.0) + past_end[0].duration
        lines.append(
            f"warning: {len(past_end)} rows end after their file, and the hours include the missing audio; "
            f"first: {past_end[0].id}, which ends at {end:g} s of {headers[str(past_end[0].audio)].duration:g} s"
        )
    return lines


def _headers(manifest: Manifest) -> dict[str, Any]:
    """What libsndfile says of every audio file; None for one that it cannot open."""
    import soundfile

    headers: dict[str, Any] = {}
    for audio in dict.fromkeys(row.audio for row in manifest.rows if row.audio is not None):
        try:
            headers[audio] = soundfile.info(str(manifest.folder / audio))
        except (soundfile.LibsndfileError, OSError, RuntimeError):
            headers[audio] = None
    return headers


def _with_checked_durations(manifest: Manifest, tolerance: float) -> Manifest:
    """The manifest with durations in seconds, and a warning where they contradict the audio headers.

    Durations in samples, milliseconds or another unit are replaced where every wrong one agrees with its header in that
    unit and no row is a piece of a file; others stay as they were declared.
    """
    headers = _headers(manifest)
    whole = [row for row in manifest.rows if row.offset is None and row.audio is not None and headers[row.audio]]
    declared = [
        Declared(row.id, row.line, row.duration, headers[row.audio].duration, headers[row.audio].samplerate)
        for row in whole
        if row.audio is not None
    ]
    wrong = wrong_durations(declared, tolerance)
    if not wrong:
        return manifest
    first = wrong[0]
    example = f"first: line {first.line}, {first.id}: {first.declared:g} declared, {first.seconds:g} s by the header"
    counts = f"{len(wrong)} of {len(declared)} durations contradict the audio headers"
    pieces = any(row.offset is not None for row in manifest.rows)
    unit = common_unit(wrong, tolerance)
    if unit is None or pieces:
        guess = f"; they seem to be in {unit}" if unit else ""
        warning = (
            f"warning: {counts}{guess} ({example}). Written as declared. Correct them, or remove the duration column: "
            "then the headers decide"
        )
        return replace(manifest, notes=(*manifest.notes, warning))
    seconds = {row.id: row.seconds for row in wrong}
    rows = [replace(row, duration=seconds.get(row.id, row.duration)) for row in manifest.rows]
    warning = f"warning: {counts}: they are in {unit} ({example}). Written in seconds, from the headers"
    return replace(manifest, rows=rows, notes=(*manifest.notes, warning))
