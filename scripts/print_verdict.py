"""Print the verdict of a diagnosis in a dozen lines, with the paths to read next.

Example:
    python scripts/print_verdict.py --results results --read-next docs/experiment_plan.md results/summary.md notes.md

Reads: results/verdict.json, results/config.json, results/durations/decision.json. Writes: nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.report.brief import brief
from lora.report.study import Study


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder of the study")
    parser.add_argument("--read-next", nargs="*", metavar="PATH", help="paths to name at the end")


def execute(args: argparse.Namespace) -> None:
    paths = [f"{args.results}/summary.md"] if args.read_next is None else args.read_next
    sys.stdout.write(brief(Study(args.results, args.results / "config.json"), paths))


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
