"""Count what survives each duration threshold of one manifest.

Example:
    python scripts/profile_durations.py --rows results/manifests/train.jsonl --manifest-name train \\
        --thresholds 5 8 10 15 20 --table results/durations/train.tsv

Reads: canonical rows. Writes: a TSV with a row a threshold and one for all, and a run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.durations import COLUMNS, duration_table
from lora.data.row_columns import read_columns
from lora.data.tables import write_table
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--table", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.table]):
        columns = read_columns(args.rows)
        write_table(args.table, COLUMNS, duration_table(args.manifest_name, columns, args.thresholds))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
