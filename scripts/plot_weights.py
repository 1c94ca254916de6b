"""Draw how far an adapter moves each module, relative to the base weight.

Example:
    python scripts/plot_weights.py --effect results/effect/lora.json \\
        --png results/plots/weights.lora.png --svg results/plots/weights.lora.svg

Reads   the effect facts of a run.
Writes  the picture twice, same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.effect import EffectFacts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--effect", type=Path, required=True, help="effect facts")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    args = parser.parse_args(argv)
    from lora.report.plots.weights import plot_weights

    with recording(outputs=[args.png, args.svg]):
        plot_weights(EffectFacts.read(args.effect), args.png, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
