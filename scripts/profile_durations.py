"""Count what each duration threshold keeps of one manifest.

Example:
    python scripts/profile_durations.py --rows results/manifests/train.jsonl --manifest-name train \\
        --thresholds 5 8 10 15 20 --table results/durations/train.tsv

Reads: canonical rows. Writes: a TSV with one line per threshold and one for all rows, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.durations import profile_durations


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--table", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: profile_durations(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
