"""Plot the durations of the usable training rows, with thresholds and the chosen limit.

Example:
    python scripts/plot_durations.py --rows results/manifests/train.jsonl --decision results/durations/decision.json \\
        --png results/plots/durations.png --svg results/plots/durations.svg

Reads: usable training rows (JSON lines), the decision on max_seconds. Writes: the plot as PNG and SVG, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import add_figure_arguments
from lora.provenance.command import command
from lora.stages.plots import plot_durations


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True, help="usable training rows")
    parser.add_argument("--decision", type=Path, required=True, help="decision on max_seconds")
    add_figure_arguments(parser)


main = command(__doc__, add_arguments, lambda args: plot_durations(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
