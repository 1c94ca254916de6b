"""Decide the hypotheses of a study: supported, refuted, undecided, or not run.

Example:
    python scripts/decide_hypotheses.py --recipes results/recipes.json --config results/config.json \\
        --hypotheses results/hypotheses.json

Reads: the compared recipes and the configuration. Writes: the decisions, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.sweep import decide_hypotheses


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--recipes", type=Path, required=True, help="comparisons of compare_recipes.py")
    parser.add_argument("--config", type=Path, required=True, help="the complete configuration")
    parser.add_argument("--hypotheses", type=Path, required=True, help="file to write")


main = command(
    __doc__,
    add_arguments,
    lambda args: decide_hypotheses(args.recipes, args.config, args.hypotheses),
)

if __name__ == "__main__":
    sys.exit(main())
