"""Join the duration tables of all manifests.

Example:
    python scripts/summarise_durations.py --tables results/durations/train.tsv results/durations/domain.tsv \\
        --summary results/durations/summary.tsv

Reads: tables of profile_durations.py. Writes: one TSV with the same columns, in the order given, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.durations import summarise_durations


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tables", type=Path, nargs="+", required=True)
    parser.add_argument("--summary", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: summarise_durations(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
