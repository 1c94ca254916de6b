"""Compare every entry of the sweep with the baseline, best first within each manifest.

Example:
    python scripts/summarise_sweep.py --paired results/paired/r16/domain.json --table results/sweep.tsv

Reads: paired facts of every entry and manifest. Writes: one line per entry and manifest (WERs are fractions), a run
record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.verdict import summarise_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--paired", type=Path, nargs="*", required=True)
    parser.add_argument("--table", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: summarise_sweep(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
