"""Write the sweep into its block of the plan document, add an entry to the notes, and print the hypotheses.

Example:
    python scripts/publish_sweep.py --results results --plan docs/experiment_plan.md --notes notes.md

Reads: decisions, comparisons, plots and run records of the sweep. Writes: both documents where something changed, the
report and results/commands.sh with what the sweep showed and ran; text outside the markers is never changed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from pathlib import Path

from lora import layout
from lora.provenance.command import command
from lora.report.publish import publish_commands, publish_page
from lora.report.study import Study
from lora.report.sweep import in_words, publish_sweep
from lora.stages.verdict import render_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--plan", type=Path, required=True, help="plan document that receives the generated block")
    parser.add_argument("--notes", type=Path, required=True, help="notes that receive one entry per result")


def execute(args: argparse.Namespace) -> None:
    study = Study(args.results, args.results / "config.json")
    publish_sweep(study, args.plan, args.notes)
    # The page and the report of the diagnosis show the hypotheses, and the script the commands of the sweep.
    publish_page(study, args.plan)
    publish_commands(study)
    report, landing = (args.results / kind.path() for kind in (layout.REPORT, layout.LANDING))
    if report.is_file():  # else the diagnosis makes it, with its plots
        with contextlib.redirect_stderr(io.StringIO()):  # the log of a target is its result, without a command line
            render_report(args.results, study.config_path, report, landing)
    sys.stdout.write(in_words(study, args.plan))


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
