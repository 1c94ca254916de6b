"""Publish a diagnosis into the documents of the study, and print the verdict in a dozen lines.

Example:
    python scripts/publish.py --results results --plan docs/experiment_plan.md --notes notes.md

Reads: all facts, results/verdict.json, results/config.json, the run records (results/**/*.run.json).
Writes: the page in the plan document, one entry in the notes, results/commands.sh, and with --mark what the documents
contain then. Text outside the markers is never touched; missing documents are created; publishing the same results
again writes none of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.report.brief import brief, documents
from lora.report.publish import publish
from lora.report.published import write_mark
from lora.report.study import Study
from lora.report.sweep import is_sweep_planned, publish_sweep_plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--plan", type=Path, required=True, help="plan document that receives the generated block")
    parser.add_argument("--notes", type=Path, required=True, help="notes that receive one entry per diagnosis")
    parser.add_argument("--mark", type=Path, help="file that records what the documents contain then")


def execute(args: argparse.Namespace) -> None:
    study = Study(args.results, args.results / "config.json")
    publish(study, args.plan, args.notes)
    if is_sweep_planned(study):
        # Not at the top: they import numpy and scipy, and most studies have no sweep to plan.
        from lora.configuration.study import StudyConfig
        from lora.stages.sweep import planned_sweep

        publish_sweep_plan(planned_sweep(args.results, StudyConfig.read(study.config_path)), args.plan)
    if args.mark is not None:
        write_mark(args.mark, [args.plan, args.notes])
    sys.stdout.write(brief(study, documents(args.results, args.plan), can_listen=True))


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
