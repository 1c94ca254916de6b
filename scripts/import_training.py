"""Import the record of a training that was done elsewhere.

Example:
    python scripts/import_training.py --run theirs --weights runs/theirs/checkpoint-400 \\
        --train-facts results/adapters/theirs/train.json

Reads: `train.json` of this software or `trainer_state.json` of the Hugging Face Trainer next to the weights, if there
is one. Writes: training facts in which everything that was not recorded is null, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.imports import import_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True)
    parser.add_argument("--weights", type=Path, required=True, help="folder of the external adapter or checkpoint")
    parser.add_argument("--train-facts", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: import_training(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
