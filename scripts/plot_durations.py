"""Draw the training rows by duration, with thresholds, the chosen one and the number asked for.

Example:
    python scripts/plot_durations.py --rows results/manifests/train.jsonl --decision results/durations/decision.json \\
        --png results/plots/durations.png --svg results/plots/durations.svg

Reads   usable training rows (JSON lines) and the decision on max_seconds.
Writes  the picture twice, same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import read_lines
from lora.records.durations import DurationDecision
from lora.records.manifests import Utterance


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="usable training rows")
    parser.add_argument("--decision", type=Path, required=True, help="decision on max_seconds")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    args = parser.parse_args(argv)
    from lora.report.plots.durations import plot_durations

    with recording(outputs=[args.png, args.svg]):
        durations = [row.duration for row in read_lines(args.rows, Utterance)]
        plot_durations(durations, DurationDecision.read(args.decision), args.png, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
