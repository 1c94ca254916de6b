"""Let the sweep start, or refuse it: exit code 1 with the reasons unless the gate is ready or overridden.

Example:
    python scripts/open_sweep.py --gate results/gate.json --notes notes.md --decision results/sweep_gate.json

Reads: the gate file, and the verdict next to it (verdict.json) for the criteria. Writes: the decision and a run record;
with `--reason` an entry in the notes if the gate is not ready.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.gate import open_sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gate", type=Path, required=True, help="gate file of decide_verdict.py")
    parser.add_argument("--reason", metavar="TEXT", help="why the sweep starts although the gate is not ready")
    parser.add_argument("--notes", type=Path, required=True, help="notes that record the reason")
    parser.add_argument("--decision", type=Path, required=True, help="file to write if the sweep may start")


main = command(__doc__, add_arguments, lambda args: open_sweep(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
