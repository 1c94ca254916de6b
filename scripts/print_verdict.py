"""Print the verdict of a diagnosis in a dozen lines, with the paths to read next.

Example:
    python scripts/print_verdict.py --results results --read-next docs/experiment_plan.md results/summary.md notes.md

Reads   results/verdict.json, results/config.json, results/durations/decision.json.
Writes  nothing but the lines it prints.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.report.brief import brief
from lora.report.study import Study


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder of the study")
    parser.add_argument("--read-next", nargs="*", default=None, metavar="PATH", help="paths to name at the end")
    args = parser.parse_args(argv)
    study = Study(args.results, args.results / "config.json")
    paths = args.read_next
    sys.stdout.write(brief(study, [f"{args.results}/summary.md"] if paths is None else paths))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
