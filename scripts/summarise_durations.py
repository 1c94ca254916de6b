"""Join the duration tables of all manifests into one.

Example:
    python scripts/summarise_durations.py --tables results/durations/train.tsv results/durations/domain.tsv \\
        --summary results/durations/summary.tsv

Reads: tables of profile_durations.py. Writes: one TSV with the same columns, in the order given, and a run
record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.durations import COLUMNS
from lora.data.tables import concatenate_tables, write_table
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, nargs="+", required=True)
    parser.add_argument("--summary", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.summary]):
        write_table(args.summary, COLUMNS, concatenate_tables(args.tables, COLUMNS))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
