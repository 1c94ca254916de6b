"""Stages that read manifests and their audio: unpack, inspect, validate, compare with training."""

from __future__ import annotations

from pathlib import Path

from lora.data.audio.inspection import inspect_rows
from lora.data.audio.pieces import overlapping_pieces, shared_recordings
from lora.data.formats.registry import unpack_audio as unpack
from lora.data.leakage import leakage as shared_with_training
from lora.data.manifest import Manifest, read_manifest, read_rows, rebase, without_damaged
from lora.data.source import Source
from lora.data.tables import read_records, write_table
from lora.provenance.recording import recording
from lora.records.base import write_lines
from lora.records.integrity import AudioMeasure, LeakageFacts
from lora.records.manifests import ManifestFacts
from lora.scoring.markup import CERTAIN, count_markup, strip_markup
from lora.scoring.normalizers import normalizer
from lora.scoring.odd_characters import odd_characters, odd_positions


def unpack_audio(source: Source, output_dir: Path) -> None:
    """Write the recordings that a data set has inside its tables (Arrow, Parquet) as audio files."""
    with recording(outputs=[output_dir]):
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
    with recording(outputs=[measures]):
        manifest = read_manifest(source, unpacked)
        spoken = [row.model_copy(update={"text": strip_markup(row.text, CERTAIN)}) for row in manifest.rows]
        measured = inspect_rows(spoken, manifest.folder, workers, f"inspection of {source.path}")
        write_table(measures, tuple(AudioMeasure.model_fields), (measure.to_json() for measure in measured))
    damaged = sum(measure.problem is not None for measure in measured)
    print(f"{source.path}: {len(measured)} rows measured, {damaged} cannot be decoded")


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
    with recording(outputs=[path for path in (rows, rejected, facts) if path is not None]):
        manifest = read_manifest(source, unpacked)
        if measures is not None:
            manifest = without_damaged(manifest, read_records(measures, AudioMeasure))
        write_rows(manifest, rows, rejected)
        if facts is not None:
            manifest_facts(source, manifest).write(facts)
    counts = f"{len(manifest.rows)} rows usable, {len(manifest.rejected)} rejected"
    print(f"{source.path}: read as {manifest.format}: {counts}")
    print_notes(source.path, manifest)


def print_notes(path: Path, manifest: Manifest) -> None:
    """Print what a person should know about how a manifest was read."""
    for note in manifest.notes:
        print(f"note: {path}: {note}")


def write_rows(manifest: Manifest, rows: Path, rejected: Path) -> None:
    """Write the usable and the rejected rows of a manifest."""
    write_lines(rows, rebase(manifest.rows, manifest.folder, rows.parent))
    write_table(rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))


def manifest_facts(source: Source, manifest: Manifest) -> ManifestFacts:
    speakers = {row.speaker_id for row in manifest.rows} - {None}
    return ManifestFacts(
        format=manifest.format,
        split=source.split,
        columns=dict(manifest.columns),
        notes=list(manifest.notes),
        rows=len(manifest.rows),
        rejected=len(manifest.rejected),
        hours=round(sum(row.duration for row in manifest.rows) / 3600, 6),
        speakers=len(speakers) or None,
        odd_characters=odd_characters(manifest.rows),
        odd_rows=sum(bool(odd_positions(row.text)) for row in manifest.rows),
        shared_recordings=sum(len(pieces) for pieces in shared_recordings(manifest.rows)),
        overlapping=overlapping_pieces(manifest.rows),
        markup=count_markup(row.text for row in manifest.rows),
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
        facts = shared_with_training(
            manifest_name,
            read_rows(train_rows),
            read_rows(rows),
            normalizer("basic", "words").words,
            _audio_hashes(train_measures),
            _audio_hashes(measures),
        )
        facts.write(leakage)
    return facts


def _audio_hashes(measures: Path | None) -> dict[str, str]:
    """Hash of the samples by row id; undecodable audio and digital silence have none."""
    decoded = [] if measures is None else read_records(measures, AudioMeasure)
    return {m.id: m.audio_hash for m in decoded if m.bandwidth is not None and m.audio_hash is not None}
