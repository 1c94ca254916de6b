"""Check whether a study is ready for the sweep: exit code 0 if it is, else 1 with the reasons printed last.

Example:
    python scripts/check_gate.py --gate results/gate.json

Reads: the gate file, and the verdict next to it (verdict.json) for the criteria. Writes: nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.gate import check_gate


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gate", type=Path, required=True, help="gate file of decide_verdict.py")


main = command(__doc__, add_arguments, lambda args: check_gate(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
