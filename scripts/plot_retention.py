"""Plot which rows, hours, speakers and words each duration limit keeps of the training manifest.

Example:
    python scripts/plot_retention.py --retention results/durations/retention.json \\
        --decision results/durations/decision.json \\
        --png results/plots/retention.png --svg results/plots/retention.svg

Reads: retention facts, the decision on max_seconds. Writes: the plot as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_figure_arguments
from lora.provenance.command import command
from lora.stages.plots import plot_retention


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--retention", type=Path, required=True, help="retention facts")
    parser.add_argument("--decision", type=Path, required=True, help="decision on max_seconds")
    add_figure_arguments(parser)


main = command(__doc__, add_arguments, lambda args: plot_retention(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
