"""Print the result of a diagnosis, or of one of its stages, in a few lines.

Example:
    python scripts/print_result.py --results results
    python scripts/print_result.py --results results --target durations

Reads: results/config.json and what the stage computed. Writes: nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.report.brief import brief, documents
from lora.report.study import Study
from lora.report.target_results import TARGETS
from lora.terminal import write_coloured

DIAGNOSIS = "diagnosis"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder of the study")
    parser.add_argument("--target", choices=(DIAGNOSIS, *TARGETS), default=DIAGNOSIS, help="default: %(default)s")
    parser.add_argument("--plan", type=Path, help="plan document of the study, to name it at the end")


def execute(args: argparse.Namespace) -> None:
    study = Study(args.results, args.results / "config.json")
    if args.target == DIAGNOSIS:
        write_coloured(brief(study, documents(args.results, args.plan)), sys.stdout)
    else:
        write_coloured("\n".join([*TARGETS[args.target](study), ""]), sys.stdout)


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
