"""Publish a diagnosis into the documents of the study, and print the verdict in a dozen lines.

Example:
    python scripts/publish.py --results results --summary results/summary.md --plan docs/experiment_plan.md \\
        --notes notes.md

Reads   the summary, results/verdict.json, results/config.json and the run records (results/**/*.run.json).
Writes  the generated block of the plan document and one entry in the notes. Text outside of the markers is never
        touched; missing documents are made; a second publish of the same results writes nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.report.brief import brief
from lora.report.publish import publish
from lora.report.study import Study


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--summary", type=Path, required=True, help="summary that render_summary.py wrote")
    parser.add_argument("--plan", type=Path, required=True, help="plan document that receives the generated block")
    parser.add_argument("--notes", type=Path, required=True, help="notes that receive an entry per diagnosis")
    args = parser.parse_args(argv)
    study = Study(args.results, args.results / "config.json")
    publish(study, args.summary, args.plan, args.notes)
    sys.stdout.write(brief(study, [str(args.plan), str(args.summary), str(args.notes)]))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
