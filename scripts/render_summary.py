"""Write the summary of a diagnosis: verdict, causes with remedies, and the tables behind them.

Example:
    python scripts/render_summary.py --results results --config results/config.json --summary results/summary.md

Reads: all facts below results/, the verdict and the complete configuration; what is missing is named as unknown.
Writes: the summary (Markdown, same bytes for the same facts), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.verdict import render_summary


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="complete configuration (JSON)")
    parser.add_argument("--summary", type=Path, required=True, help="Markdown file to write")


main = command(__doc__, add_arguments, lambda args: render_summary(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
