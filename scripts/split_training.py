"""Split the training rows that survive `max_seconds` into training and validation, by speaker where possible.

Example:
    python scripts/split_training.py --rows results/manifests/train.jsonl --max-seconds 10.0 \\
        --val-fraction 0.1 --by-speaker --split-seed 13 \\
        --train results/splits/train.jsonl --val results/splits/val.jsonl \\
        --sizes results/splits/sizes.tsv

Reads: canonical rows. Writes: both parts as manifests of their own (sorted by id), their sizes, a run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import read_rows, rebase
from lora.data.splits import sizes, split
from lora.data.tables import write_table
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_lines
from lora.records.splits import SplitSizes


def seconds_or_none(text: str) -> float | None:
    return None if text in {"none", "null"} else float(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    parser.add_argument("--val-fraction", type=float, required=True)
    parser.add_argument("--by-speaker", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--split-seed", type=int, required=True)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--sizes", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.train, args.val, args.sizes], seed=args.split_seed) as run:
        rows = read_rows(args.rows)
        parts = split(rows, args.max_seconds, args.val_fraction, args.by_speaker, args.split_seed)
        if args.by_speaker and parts.method == "row":
            run.adjust("split by row, not by speaker: no set of whole speakers has a fitting size")
        write_lines(args.train, rebase(parts.train, args.rows.parent, args.train.parent))
        write_lines(args.val, rebase(parts.val, args.rows.parent, args.val.parent))
        write_table(args.sizes, tuple(SplitSizes.model_fields), (size.to_json() for size in sizes(parts)))
    print(f"{len(parts.train)} rows to train, {len(parts.val)} to validate, {len(parts.too_long)} too long")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
