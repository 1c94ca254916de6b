"""Plot training and validation loss of a run by optimiser step, with the best step.

Example:
    python scripts/plot_loss.py --loss results/adapters/lora/loss.tsv --train-facts results/adapters/lora/train.json \\
        --png results/plots/loss.lora.png --svg results/plots/loss.lora.svg

Reads: the loss log and the training facts. Writes: the plot as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_figure_arguments
from lora.provenance.command import command
from lora.stages.plots import plot_loss


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--loss", type=Path, required=True, help="loss log (TSV)")
    parser.add_argument("--train-facts", type=Path, required=True, help="training facts")
    add_figure_arguments(parser)


main = command(__doc__, add_arguments, lambda args: plot_loss(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
