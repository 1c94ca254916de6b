"""Read a manifest of any dialect; write its usable rows, and every rejected line with its reason.

Example:
    python scripts/validate_manifest.py --manifest data/train_manifest.jsonl \\
        --measures results/integrity/train.tsv \\
        --rows results/manifests/train.jsonl --rejected results/manifests/train.rejected.tsv

Reads: the manifest (JSON lines, CSV or TSV), headers of audio whose duration it does not tell, and the measures of
inspect_audio.py, which know of audio that cannot be decoded (without `--measures` nobody has tried).
Writes: canonical rows (JSON lines, audio relative to their folder), rejected lines (TSV: line, id, reason),
run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import read_manifest, rebase, without_damaged
from lora.data.tables import read_records, write_table
from lora.provenance import recording, run_command
from lora.records import AudioMeasure, write_lines


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--measures", type=Path, default=None)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--rejected", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.rows, args.rejected]):
        manifest = read_manifest(args.manifest)
        if args.measures is not None:
            manifest = without_damaged(manifest, read_records(args.measures, AudioMeasure))
        write_lines(args.rows, rebase(manifest.rows, args.manifest.parent, args.rows.parent))
        write_table(args.rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))
    print(f"{args.manifest}: {len(manifest.rows)} rows usable, {len(manifest.rejected)} rejected")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
