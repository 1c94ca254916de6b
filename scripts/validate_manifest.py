"""Read a manifest of any format; write its usable rows, and every rejected row with line and reason.

Example:
    python scripts/validate_manifest.py --manifest data/train_manifest.jsonl \\
        --measures results/integrity/train.tsv \\
        --rows results/manifests/train.jsonl --rejected results/manifests/train.rejected.tsv

Reads: the manifest (formats: docs/data.md), audio headers where it has no duration, the measures of inspect_audio.py;
`--unpacked` is the folder of unpack_audio.py.
Writes: canonical rows (JSON lines, audio paths relative to their folder), rejected rows (TSV: line, id, reason), with
`--facts` how the manifest was read (JSON), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.source import add_source_arguments, source_from_args
from lora.provenance.command import command
from lora.stages.manifests import validate_manifest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source_arguments(parser)
    parser.add_argument("--unpacked", type=Path)
    parser.add_argument("--measures", type=Path)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--rejected", type=Path, required=True)
    parser.add_argument("--facts", type=Path)


main = command(
    __doc__,
    add_arguments,
    lambda args: validate_manifest(
        source_from_args(args), args.rows, args.rejected, args.facts, args.measures, args.unpacked
    ),
)

if __name__ == "__main__":
    sys.exit(main())
