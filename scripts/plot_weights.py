"""Plot how far an adapter moves each module, relative to the base weight.

Example:
    python scripts/plot_weights.py --effect results/effect/lora.json \\
        --png results/plots/weights.lora.png --svg results/plots/weights.lora.svg

Reads: the effect facts of a run. Writes: the plot as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_figure_arguments
from lora.provenance.command import command
from lora.stages.plots import plot_weights


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--effect", type=Path, required=True, help="effect facts")
    add_figure_arguments(parser)


main = command(__doc__, add_arguments, lambda args: plot_weights(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
