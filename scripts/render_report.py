"""Write the full report of a diagnosis as one HTML page: verdict, causes with remedies, all tables and plots.

Example:
    python scripts/render_report.py --results results --config results/config.json --report results/report/index.html \\
        --landing results/report/verdict.txt

Reads: all facts below results/, the verdict, the complete configuration, plots and run records; what is missing is
named as unknown. Writes: one HTML file that needs no other, its first view as text, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.verdict import render_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="complete configuration (JSON)")
    parser.add_argument("--report", type=Path, required=True, help="HTML file to write")
    parser.add_argument("--landing", type=Path, required=True, help="text file to write: verdict and next step")


main = command(__doc__, add_arguments, lambda args: render_report(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
