"""Split the training rows of at most `max_seconds` into training and validation, by speaker where possible.

Example:
    python scripts/split_training.py --rows results/manifests/train.jsonl --max-seconds 10.0 \\
        --val-fraction 0.1 --by-speaker --split-seed 13 \\
        --train results/splits/train.jsonl --val results/splits/val.jsonl --sizes results/splits/sizes.tsv

Reads: canonical rows. Writes: both parts as manifests (sorted by id), their sizes, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_split_arguments, seconds_or_none
from lora.provenance.command import command
from lora.stages.durations import split_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    add_split_arguments(parser)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--val", type=Path, required=True)
    parser.add_argument("--sizes", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: split_training(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
