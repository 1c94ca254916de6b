"""Compare the recipes of a study, runs that differ in the seed alone, as its hypotheses ask.

Example:
    python scripts/compare_recipes.py --results results --config results/config.json --recipes results/recipes.json

Reads: WER facts of the base model and of every run that the study trains, comparisons with evaluations during training,
the verdict (for its evaluation manifest), and the configuration. Writes: the comparisons, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.sweep import compare_recipes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="the complete configuration")
    parser.add_argument("--recipes", type=Path, required=True, help="file to write")


main = command(__doc__, add_arguments, lambda args: compare_recipes(args.results, args.config, args.recipes))

if __name__ == "__main__":
    sys.exit(main())
