"""Choose `max_seconds` of training, or judge the one that was configured, from what each threshold leaves
to train on.

Example:
    python scripts/choose_max_seconds.py --rows results/manifests/train.jsonl \\
        --thresholds 5 8 10 15 20 --max-seconds auto --min-train-samples 200 \\
        --max-held-out-speakers 0.34 --val-fraction 0.1 --by-speaker --split-seed 13 --window auto \\
        --value results/max_seconds.json --decision results/durations/decision.json

Reads: canonical rows of the training manifest.
Writes: the value alone (all that later stages depend on), the decision with its reason and options, a run
record. `--window` is the longest audio the model hears whole; `auto` and `none`: no limit is known.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import read_rows
from lora.data.splits import split_options
from lora.diagnosis.data.max_seconds import choose_max_seconds
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.durations import MaxSeconds


def seconds_or_auto(text: str) -> float | None:
    return None if text in {"auto", "none", "null"} else float(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--thresholds", type=float, nargs="+", required=True, help="seconds")
    parser.add_argument("--max-seconds", type=seconds_or_auto, required=True, metavar="auto|SECONDS")
    parser.add_argument("--min-train-samples", type=int, required=True)
    parser.add_argument("--max-held-out-speakers", type=float, default=1.0, help="share that any seed may keep out")
    parser.add_argument("--val-fraction", type=float, required=True)
    parser.add_argument("--by-speaker", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--split-seed", type=int, required=True)
    parser.add_argument("--window", type=seconds_or_auto, default=None, metavar="auto|SECONDS")
    parser.add_argument("--value", type=Path, required=True)
    parser.add_argument("--decision", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    thresholds = sorted({*args.thresholds, *([] if args.max_seconds is None else [args.max_seconds])})
    if thresholds[0] <= 0:
        raise UserError(f"--thresholds and --max-seconds are seconds above 0, not {thresholds[0]:g}")
    with recording(outputs=[args.value, args.decision], seed=args.split_seed):
        rows = read_rows(args.rows)
        tried = split_options(rows, thresholds, args.val_fraction, args.by_speaker, args.split_seed)
        rules = (args.min_train_samples, args.window, args.max_held_out_speakers)
        decision = choose_max_seconds(tried, args.max_seconds, *rules)
        decision.write(args.decision)
        MaxSeconds(max_seconds=decision.max_seconds).write(args.value)
    print(decision.reason)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
