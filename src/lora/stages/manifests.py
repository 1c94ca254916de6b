"""Stages that read manifests and their audio: unpack, inspect, validate, compare with training."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from pathlib import Path

from lora.data.audio.inspection import inspect_rows
from lora.data.formats.registry import manifest_files
from lora.data.formats.registry import unpack_audio as unpack
from lora.data.leakage import leakage as shared_with_training
from lora.data.manifest import (
    AudioPaths,
    Manifest,
    OpenManifest,
    iterate_rows,
    open_manifest,
    read_manifest,
    read_rows,
    without_undecodable,
)
from lora.data.manifest_rows import Rejected
from lora.data.source import Source
from lora.data.tables import read_cells, write_table
from lora.data.unchanged_files import FileStates, unchanged
from lora.provenance.recording import recording
from lora.records.base import UserError, columns_of, json_line, replacing
from lora.records.integrity import AudioMeasure, LeakageFacts
from lora.records.kept import is_keeping, keep
from lora.records.manifests import ManifestFacts, Utterance
from lora.scoring.markup import CERTAIN, strip_markup
from lora.scoring.normalizers import normalizer
from lora.stages.row_counts import RowCounts


def unpack_audio(source: Source, output_dir: Path) -> None:
    """Write the recordings that a data set has inside its tables (Arrow, Parquet) as audio files."""
    with recording(outputs=[output_dir]), unchanged(manifest_files(source)):
        rows = unpack(source, output_dir)
    print(f"{source.path}: {rows} recordings written")


def inspect_audio(source: Source, measures: Path, unpacked: Path | None = None, workers: int = 1) -> None:
    """Decode the audio of every row once and write its measures.

    Args:
        source: The manifest.
        measures: Table to write, one line per row; audio that cannot be decoded has its reason in `problem`.
        unpacked: Folder with the recordings that were inside the manifest's own files.
        workers: Number of decoding processes.
    """
    _require_other_files(source, [measures])
    with recording(outputs=[measures]):
        with unchanged(manifest_files(source)):
            manifest = read_manifest(source, unpacked)
            spoken = [replace(row, text=strip_markup(row.text, CERTAIN)) for row in manifest.rows]
            measured = inspect_rows(spoken, manifest.folder, workers, f"inspection of {source.path}")
        write_table(measures, columns_of(AudioMeasure), map(AudioMeasure.values, measured))
    damaged = sum(measure.problem is not None for measure in measured)
    print(f"{source.path}: {len(measured)} rows measured, {damaged} cannot be decoded")


def _require_other_files(source: Source, outputs: Iterable[Path]) -> None:
    """Raise UserError for an output that is a file of the manifest, also within its folder: the file would be lost."""
    for output in filter(Path.exists, outputs):
        if any(path.exists() and output.samefile(path) for path in manifest_files(source)):
            raise UserError(f"{output}: is a file of the manifest {source.path}; name another file to write")


def validate_manifest(
    source: Source,
    rows: Path,
    rejected: Path,
    facts: Path | None = None,
    measures: Path | None = None,
    unpacked: Path | None = None,
) -> None:
    """Write the usable rows of a manifest, and every rejected row with its reason.

    Args:
        source: The manifest.
        rows: Canonical rows to write (JSON lines, audio paths relative to their folder).
        rejected: Table to write: line, id, reason.
        facts: How the manifest was read (`ManifestFacts`), if it should be written.
        measures: Measures of `inspect_audio`; without them nobody has tried to decode the audio.
        unpacked: Folder with the recordings that were inside the manifest's own files.
    """
    outputs = [path for path in (rows, rejected, facts) if path is not None]
    _require_other_files(source, outputs)
    with recording(outputs=outputs):
        files = FileStates(manifest_files(source))
        manifest = open_manifest(source, unpacked)
        problems = {} if measures is None else _undecodable(measures)
        usable = without_undecodable(manifest.rows(), problems)
        counted = write_rows(files.check_after(usable), manifest.folder, rows, rejected)
        if facts is not None:
            manifest_facts(source, manifest, counted).write(facts)
    print(f"{source.path}: read as {manifest.format}: {counted.rows} rows usable, {counted.rejected} rejected")
    print_notes(source.path, manifest.notes)


def _undecodable(measures: Path) -> dict[str, str]:
    """Why audio cannot be decoded, by row id."""
    columns = columns_of(AudioMeasure)
    identity, problem = columns.index("id"), columns.index("problem")
    return {cells[identity]: cells[problem] for cells in read_cells(measures, columns) if cells[problem]}


def print_notes(path: Path, notes: Iterable[str]) -> None:
    """Print what a person should know about how a manifest was read."""
    for note in notes:
        print(f"note: {path}: {note}")


def write_rows(found: Iterable[Utterance | Rejected], folder: Path, rows: Path, rejected: Path) -> RowCounts:
    """Write the usable and the rejected rows of a manifest.

    Args:
        found: Rows in the order of the manifest, whose relative audio paths start at `folder`.
        folder: That folder.
        rows: Canonical rows to write, with audio paths relative to their folder.
        rejected: Table to write: line, id, reason.
    """
    counted = RowCounts()
    refused: list[Rejected] = []
    kept: list[Utterance] = []  # where rows stay in memory; there may be a million otherwise
    moved = AudioPaths(folder, rows.parent)
    with replacing(rows) as file:
        for row in found:
            if isinstance(row, Rejected):
                refused.append(row)
            else:
                counted.add(row)
                written = moved.of(row)
                file.buffer.write(json_line(written))
                if is_keeping():
                    kept.append(written)
    keep(rows, kept)
    refused.sort(key=lambda entry: entry.line)
    counted.rejected = len(refused)
    write_table(rejected, ("line", "id", "reason"), map(vars, refused))
    return counted


def manifest_facts(source: Source, manifest: OpenManifest | Manifest, counted: RowCounts) -> ManifestFacts:
    """How a manifest was read, and its size."""
    return ManifestFacts(
        format=manifest.format,
        split=source.split,
        columns=dict(manifest.columns),
        notes=list(manifest.notes),
        rows=counted.rows,
        rejected=counted.rejected,
        hours=round(counted.seconds / 3600, 6),
        speakers=len(counted.speakers) or None,
        odd_characters=counted.odd.most_frequent_first(),
        odd_rows=counted.odd.rows,
        shared_recordings=counted.pieces.shared(),
        overlapping=counted.pieces.overlapping(),
        markup=counted.markup.counts(),
    )


def compare_training(
    manifest_name: str,
    train_rows: Path,
    rows: Path,
    leakage: Path,
    train_measures: Path | None = None,
    measures: Path | None = None,
) -> LeakageFacts:
    """Write what an evaluation manifest shares with the training manifest.

    Without measures (of `inspect_audio`, with the hashes of the samples) only texts and speakers are compared.
    """
    with recording(outputs=[leakage]):
        audio = _audio_hashes(measures)
        facts = shared_with_training(
            manifest_name,
            iterate_rows(train_rows),
            read_rows(rows),
            normalizer("basic", "words").words,
            _audio_hashes(train_measures, set(audio.values())),
            audio,
        )
        facts.write(leakage)
    return facts


def _audio_hashes(measures: Path | None, wanted: Container[str] | None = None) -> dict[str, str]:
    """Hash of the samples by row id, or only `wanted` hashes; undecodable audio and digital silence have none."""
    if measures is None:
        return {}
    columns = columns_of(AudioMeasure)
    name, bandwidth, audio_hash = (columns.index(column) for column in ("id", "bandwidth", "audio_hash"))
    return {
        cells[name]: cells[audio_hash]
        for cells in read_cells(measures, columns)
        if cells[bandwidth] and cells[audio_hash] and (wanted is None or cells[audio_hash] in wanted)
    }
