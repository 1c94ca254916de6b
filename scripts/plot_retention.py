"""Draw what every duration limit leaves of the training manifest: rows, hours, speakers, distinct words.

Example:
    python scripts/plot_retention.py --retention results/durations/retention.json \\
        --decision results/durations/decision.json \\
        --png results/plots/retention.png --svg results/plots/retention.svg

Reads   retention facts (their fine grid) and the decision on max_seconds.
Writes  the picture twice, same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.durations import DurationDecision, RetentionFacts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--retention", type=Path, required=True, help="who and what each limit leaves")
    parser.add_argument("--decision", type=Path, required=True, help="decision on max_seconds")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    args = parser.parse_args(argv)
    from lora.report.plots.retention import plot_retention

    with recording(outputs=[args.png, args.svg]):
        facts, decision = RetentionFacts.read(args.retention), DurationDecision.read(args.decision)
        plot_retention(facts, decision, args.png, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
