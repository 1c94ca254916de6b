"""Read a manifest of any dialect; write its usable rows, and every rejected line with its reason.

Example:
    python scripts/validate_manifest.py --manifest data/train_manifest.jsonl \\
        --measures results/integrity/train.tsv \\
        --rows results/manifests/train.jsonl --rejected results/manifests/train.rejected.tsv

Reads: the manifest (any format of docs/data.md), headers of audio whose duration it does not tell, and the measures of
inspect_audio.py, which know of audio that cannot be decoded (without `--measures` nobody has tried). Where recordings
lie inside the manifest's own files, `--unpacked` is the folder that unpack_audio.py made of them.
Writes: canonical rows (JSON lines, audio relative to their folder), rejected lines (TSV: line, id, reason), with
`--facts` how the manifest was read (JSON), run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import Manifest, read_manifest, rebase, without_damaged
from lora.data.source import Source, add_source_arguments, source_from_args
from lora.data.tables import read_records, write_table
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_lines
from lora.records.integrity import AudioMeasure
from lora.records.manifests import ManifestFacts


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_arguments(parser)
    parser.add_argument("--unpacked", type=Path, default=None)
    parser.add_argument("--measures", type=Path, default=None)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--rejected", type=Path, required=True)
    parser.add_argument("--facts", type=Path, default=None)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    source = source_from_args(args)
    with recording(outputs=[path for path in (args.rows, args.rejected, args.facts) if path is not None]):
        manifest = read_manifest(source, args.unpacked)
        if args.measures is not None:
            manifest = without_damaged(manifest, read_records(args.measures, AudioMeasure))
        write_lines(args.rows, rebase(manifest.rows, manifest.folder, args.rows.parent))
        write_table(args.rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))
        if args.facts is not None:
            facts_of(source, manifest).write(args.facts)
    counts = f"{len(manifest.rows)} rows usable, {len(manifest.rejected)} rejected"
    print(f"{args.manifest}: read as {manifest.format}: {counts}")
    return 0


def facts_of(source: Source, manifest: Manifest) -> ManifestFacts:
    speakers = {row.speaker_id for row in manifest.rows} - {None}
    return ManifestFacts(
        format=manifest.format,
        split=source.split,
        columns=dict(manifest.columns),
        rows=len(manifest.rows),
        rejected=len(manifest.rejected),
        hours=round(sum(row.duration for row in manifest.rows) / 3600, 6),
        speakers=len(speakers) or None,
    )


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
