"""Split the training rows with many seeds: does it matter which one the study uses?

Example:
    python scripts/try_split_seeds.py --rows results/manifests/train.jsonl --max-seconds 10.0 \\
        --val-fraction 0.1 --by-speaker --split-seed 13 --stability results/splits/stability.json

Reads: canonical rows. Writes: sizes of the split with 20 seeds, the study's own first (JSON), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_split_arguments, seconds_or_none
from lora.provenance.command import command
from lora.stages.durations import try_split_seeds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    add_split_arguments(parser)
    parser.add_argument("--stability", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: try_split_seeds(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
