"""Write the sweep into its block of the plan document, add an entry to the notes, and print the hypotheses.

Example:
    python scripts/publish_sweep.py --results results --plan docs/experiment_plan.md --notes notes.md

Reads: decisions, comparisons, plots and run records of the sweep. Writes: both documents where something changed; text
outside the markers is never changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.report.study import Study
from lora.report.sweep import in_words, publish_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--plan", type=Path, required=True, help="plan document that receives the generated block")
    parser.add_argument("--notes", type=Path, required=True, help="notes that receive one entry per result")


def execute(args: argparse.Namespace) -> None:
    study = Study(args.results, args.results / "config.json")
    publish_sweep(study, args.plan, args.notes)
    sys.stdout.write(in_words(study))


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
