"""Plot WER over the settings that a sweep varies, domain gain against general loss, and the learning curve.

Example:
    python scripts/plot_sweep.py --recipes results/recipes.json \\
        --levels results/plots/sweep.levels.png results/plots/sweep.levels.svg \\
        --tradeoff results/plots/sweep.tradeoff.png results/plots/sweep.tradeoff.svg \\
        --curve results/plots/sweep.curve.png results/plots/sweep.curve.svg

Reads: the compared recipes. Writes: the plots as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.plots import plot_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", type=Path, required=True, help="comparisons of compare_recipes.py")
    for name in ("levels", "tradeoff", "curve"):
        parser.add_argument(f"--{name}", type=Path, nargs=2, required=True, metavar=("PNG", "SVG"))


main = command(__doc__, add_arguments, lambda args: plot_sweep(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
