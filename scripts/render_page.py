"""Turn the summary into a page that the Snakemake report can show inline.

Example:
    python scripts/render_page.py --summary results/summary.md --page results/summary.html

Reads: the summary and the plots it shows. Writes: one HTML file that needs no other, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.verdict import render_page


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--summary", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: render_page(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
