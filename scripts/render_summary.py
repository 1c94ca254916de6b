"""Write the summary of a diagnosis: verdict in plain words, causes with remedies, and the tables behind them.

Example:
    python scripts/render_summary.py --results results --config results/config.json --summary results/summary.md

Reads   all facts of the results folder, results/verdict.json and the merged configuration; what is missing is named in
        the summary as not known.
Writes  results/summary.md, the same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_text
from lora.report.study import Study
from lora.report.summary import summarise


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="merged configuration (JSON)")
    parser.add_argument("--summary", type=Path, required=True, help="Markdown file to write")
    args = parser.parse_args(argv)
    with recording(outputs=[args.summary]):
        write_text(args.summary, summarise(Study(args.results, args.config)))
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
