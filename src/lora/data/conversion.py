"""A manifest of any format written as a canonical one: JSON lines, with audio paths relative to the new file.

Recordings that lie inside the given manifest become files in `<name>.audio/` beside the new one.
"""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lora.data.formats.arrow_tables import ROWS
from lora.data.formats.registry import contains_audio, manifest_files, unpack_audio
from lora.data.manifest import Manifest, Rejected, read_manifest, rebase
from lora.data.source import Source
from lora.records.base import UserError, write_lines
from lora.records.manifests import Utterance

OURS = re.compile(r"\d{6}\.\w+")
MOST_REASONS = 5
BEYOND = 0.1  # seconds that a piece may end after its file: ends are rounded


def convert(source: Source, output: Path, force: bool = False) -> Manifest:
    """Write the usable rows of a manifest to `output`; returns what was read, for rows beside `output`.

    Without a usable row nothing is written. Everything appears at once or, on an error, not at all. Raises UserError
    where the output exists and `force` is not set, and where the manifest is unusable as a whole.
    """
    audio = output.with_name(f"{output.stem}.audio")
    for path in (output, audio):
        if path.exists() and not force:
            raise UserError(f"{path}: exists already, and nothing is overwritten; name another, or say --force")
    if output.exists() and any(output.samefile(path) for path in manifest_files(source)):
        raise UserError(
            f"{output}: is what would be converted, and its rejected rows would be lost; name another output"
        )
    output.parent.mkdir(parents=True, exist_ok=True)
    building = audio.with_name(f".{audio.name}.{os.getpid()}.tmp")
    building.mkdir()
    try:
        packed = contains_audio(source)
        if packed:
            unpack_audio(source, building)
        manifest = read_manifest(source, building)
        (building / ROWS).unlink(missing_ok=True)
        rows = rebase(manifest.rows, audio if packed else manifest.folder, output.parent)
        # The lines of another file would be nobody's lines here.
        written = [row.model_copy(update={"line": None}) for row in _as_files(rows, building, audio.name)]
        if written:
            _put(building, audio)
            write_lines(output, written)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return replace(manifest, rows=written, folder=output.parent)


def _as_files(rows: Iterable[Utterance], folder: Path, name: str) -> Iterator[Utterance]:
    """The same rows, with inline samples written to numbered files in `folder`, which will be called `name`."""
    import soundfile

    for number, row in enumerate(rows, start=1):
        if row.samples is None or row.sampling_rate is None:
            yield row
            continue
        file = f"{number:06d}.wav"
        soundfile.write(folder / file, np.asarray(row.samples, dtype=np.float32), row.sampling_rate, subtype="FLOAT")
        yield row.model_copy(update={"audio": f"{name}/{file}", "samples": None, "sampling_rate": None})


def _put(building: Path, audio: Path) -> None:
    """Move the new folder of audio, if anything is in it, to where an earlier conversion may have left one."""
    if not any(building.iterdir()):
        return
    if audio.is_dir():
        for path in audio.iterdir():
            if OURS.fullmatch(path.name):
                path.unlink()
    try:
        building.rename(audio)
    except OSError:
        raise UserError(f"{audio}: holds files of somebody else; name another output") from None


def conversion_summary(source: Source, manifest: Manifest) -> str:
    """What was read, in lines for a person: format, columns, rows, audio, and why rows were rejected."""
    hours = sum(row.duration for row in manifest.rows) / 3600
    speakers = len({row.speaker_id for row in manifest.rows} - {None})
    lines = [f"{source.path}: read as {manifest.format}"]
    if manifest.columns:
        named = [f"{field} from {name}" for field, name in manifest.columns.items()]
        lines.append(f"columns: {', '.join(named)}")
    lines.append(f"rows: {len(manifest.rows)} usable, {len(manifest.rejected)} rejected")
    lines.append(f"hours: {hours:.3f}; speakers: {speakers or 'not named'}")
    lines += _audio_lines(manifest)
    kinds = Counter(_kind(entry) for entry in manifest.rejected)
    for kind, count in kinds.most_common(MOST_REASONS):
        first = next(entry for entry in manifest.rejected if _kind(entry) == kind)
        lines.append(f"rejected: {count} x {kind}; first: line {first.line}: {first.reason}")
    return "\n".join(lines)


def _kind(entry: Rejected) -> str:
    """What rejected rows have in common: the reason before its details and its place."""
    return re.split(r"[:,(]", entry.reason)[0].strip()


def _audio_lines(manifest: Manifest) -> list[str]:
    """Sampling rates and channels of the rows' files by their headers, and rows that these contradict."""
    import soundfile

    kinds: Counter[str] = Counter()
    seen: dict[str, Any] = {}
    no_channel, beyond = [], []
    for row in manifest.rows:
        if row.audio is None:
            continue
        if row.audio not in seen:
            try:
                seen[row.audio] = soundfile.info(str(manifest.folder / row.audio))
            except (soundfile.LibsndfileError, OSError, RuntimeError):
                seen[row.audio] = None
        info = seen[row.audio]
        if info is None:
            kinds["cannot be opened"] += 1
            continue
        kinds[f"{info.samplerate} Hz with {info.channels} channel{'s' * (info.channels > 1)}"] += 1
        if row.channel is not None and row.channel >= info.channels:
            no_channel.append(row)
        if row.offset is not None and row.offset + row.duration > info.duration + BEYOND:
            beyond.append(row)
    told = ", ".join(f"{kind} ({n} rows)" for kind, n in kinds.most_common())
    lines = [f"audio: {told or 'none'}"]
    if no_channel:
        lines.append(
            f"warning: {len(no_channel)} rows ask for a channel (from 0) that their file does not have, and a study "
            f"rejects them; first: {no_channel[0].id}, channel {no_channel[0].channel}"
        )
    if beyond:
        end = (beyond[0].offset or 0.0) + beyond[0].duration
        lines.append(
            f"warning: {len(beyond)} rows end after their file does, and the hours count what is not there; "
            f"first: {beyond[0].id}, which ends at {end:g} s of {seen[str(beyond[0].audio)].duration:g} s"
        )
    return lines
