"""Plot WER of baseline and runs per manifest, with intervals, and the paired differences.

Example:
    python scripts/plot_wer.py --wer results/wer/base/domain.json results/wer/lora/domain.json \\
        --paired results/paired/lora/domain.json --min-wer 0.05 \\
        --png results/plots/wer.png --svg results/plots/wer.svg

Reads: WER and paired facts, in the order in which they are drawn. Writes: the plot as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_figure_arguments
from lora.provenance.command import command
from lora.stages.plots import plot_wer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wer", type=Path, nargs="*", default=[], metavar="FILE", help="WER facts")
    parser.add_argument("--paired", type=Path, nargs="*", default=[], metavar="FILE", help="paired facts")
    parser.add_argument("--min-wer", type=float, help="WER from which a manifest has headroom, a fraction")
    add_figure_arguments(parser)


main = command(__doc__, add_arguments, lambda args: plot_wer(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
