"""Decide the verdict of a study from all of its fact files and the thresholds of its configuration.

Example:
    python scripts/decide_verdict.py --results results --config results/config.json \\
        --verdict results/verdict.json --gate results/gate.json

Reads: every fact file below results/ (what is missing is unknown). Writes: the verdict, the gate file (ready or not,
with reasons), a run record. "Not ready" is a result, not an error: check_gate.py turns it into an exit code.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.verdict import decide_verdict


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="complete configuration (results/config.json)")
    parser.add_argument("--verdict", type=Path, required=True, help="verdict to write")
    parser.add_argument("--gate", type=Path, required=True, help="gate file to write")


main = command(__doc__, add_arguments, lambda args: decide_verdict(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
