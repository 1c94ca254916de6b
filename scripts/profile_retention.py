"""Measure which rows, hours, speakers and words each duration threshold keeps of the training manifest.

Example:
    python scripts/profile_retention.py --rows results/manifests/train.jsonl \\
        --thresholds 5 8 10 15 20 --retention results/durations/retention.json

Reads: canonical rows. Writes: retention facts (JSON), a run record. Words are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.durations import profile_retention


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--retention", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: profile_retention(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
