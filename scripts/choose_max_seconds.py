"""Choose `max_seconds` of training, or judge the configured one, from what each threshold leaves to train on.

Example:
    python scripts/choose_max_seconds.py --rows results/manifests/train.jsonl \\
        --thresholds 5 8 10 15 20 --max-seconds auto --min-train-samples 200 \\
        --max-held-out-speakers 0.34 --val-fraction 0.1 --by-speaker --split-seed 13 --window auto \\
        --retention results/durations/retention.json --max-lost-speakers 0.02 --max-lost-words 0.02 \\
        --max-rate-difference 0.25 --padding 1 --value results/max_seconds.json \\
        --decision results/durations/decision.json

Reads: canonical rows of the training manifest, what each threshold removes.
Writes: the value alone (all that later stages depend on), the decision with its reason and options, a run record.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from lora.provenance.arguments import add_split_arguments, seconds_or_auto
from lora.provenance.command import command
from lora.stages.durations import choose_max_seconds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--max-seconds", type=seconds_or_auto, required=True, metavar="SECONDS|auto")
    parser.add_argument("--min-train-samples", type=int, required=True)
    parser.add_argument(
        "--max-held-out-speakers", type=float, default=1.0, help="share of speakers that any seed may hold out"
    )
    add_split_arguments(parser)
    parser.add_argument(
        "--window",
        type=seconds_or_auto,
        metavar="SECONDS|auto|none",
        help="longest audio that the model takes in one piece; auto and none: no known limit",
    )
    parser.add_argument("--padding", type=seconds_or_auto, help="step in seconds that the model pads audio to, or none")
    parser.add_argument("--retention", type=Path, help="what each threshold removes (profile_retention.py)")
    for name, what in (("speakers", "speakers"), ("words", "running words")):
        parser.add_argument(f"--max-lost-{name}", type=float, default=1.0, help=f"share of {what} lost beyond chance")
    parser.add_argument(
        "--max-rate-difference", type=float, default=math.inf, help="relative difference in words per second"
    )
    parser.add_argument("--value", type=Path, required=True)
    parser.add_argument("--decision", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: choose_max_seconds(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
