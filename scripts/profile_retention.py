"""Say who and what each duration threshold would take out of the training manifest.

Example:
    python scripts/profile_retention.py --rows results/manifests/train.jsonl \\
        --thresholds 5 8 10 15 20 --retention results/durations/retention.json

Reads: canonical rows. Writes: retention facts (JSON) and a run record. Words are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.retention import retention
from lora.data.row_columns import read_columns
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.scoring.normalizers import basic


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--retention", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.retention]):
        facts = retention(read_columns(args.rows, texts=True), args.thresholds, lambda text: basic(text).split())
        facts.write(args.retention)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
