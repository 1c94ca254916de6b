"""Bring what is told of a training that was done elsewhere into the study's own form.

Example:
    python scripts/import_training.py --run theirs --adapter runs/theirs/checkpoint-400 \\
        --train-facts results/adapters/theirs/train.json

Reads: `train.json` of this software or `trainer_state.json` of the Hugging Face Trainer beside the adapter, where there
is one. Writes: training facts in which all that nobody recorded is null, and a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.asr.training.history import training_history
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.train_facts)]):
        facts = training_history(args.run, args.adapter)
        facts.write(args.train_facts)
    print(
        f"{args.run}: "
        + (f"its training is told by {facts.source}" if facts.source else "nothing tells of its training")
    )
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--adapter", required=True, type=Path, help="the folder that was brought")
    parser.add_argument("--train-facts", required=True, type=Path)
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
