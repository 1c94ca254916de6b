"""Decide the verdict of a study from all of its fact files and the thresholds of its configuration.

Example:
    python scripts/decide_verdict.py --results results --config results/config.json \\
        --verdict results/verdict.json --gate results/gate.json

Reads: every fact file under results/ (what is missing counts as unknown). Writes: the verdict, the gate file (ready or
not, with reasons), run record. "Not ready" is a result, not an error: `check_gate.py` turns it into an exit code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.diagnosis.facts import load_facts
from lora.diagnosis.verdict import decide, gate
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="results folder of the study")
    parser.add_argument("--config", type=Path, required=True, help="merged configuration (results/config.json)")
    parser.add_argument("--verdict", type=Path, required=True, help="verdict to write")
    parser.add_argument("--gate", type=Path, required=True, help="gate file to write")
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.verdict, args.gate]):
        verdict = decide(load_facts(args.results, args.config))
        verdict.write(args.verdict)
        gate(verdict).write(args.gate)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
