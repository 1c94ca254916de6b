"""Split the training rows with many seeds: does it matter which one the study uses?

Example:
    python scripts/try_split_seeds.py --rows results/manifests/train.jsonl --max-seconds 10.0 \\
        --val-fraction 0.1 --by-speaker --split-seed 13 --stability results/splits/stability.json

Reads: canonical rows. Writes: sizes of the split with 20 seeds, the study's first (JSON), and a run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import read_rows
from lora.data.splits import split_stability
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def seconds_or_none(text: str) -> float | None:
    return None if text in {"none", "null"} else float(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    parser.add_argument("--val-fraction", type=float, required=True)
    parser.add_argument("--by-speaker", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--split-seed", type=int, required=True)
    parser.add_argument("--stability", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.stability], seed=args.split_seed):
        rows = read_rows(args.rows)
        facts = split_stability(rows, args.max_seconds, args.val_fraction, args.by_speaker, args.split_seed)
        facts.write(args.stability)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
