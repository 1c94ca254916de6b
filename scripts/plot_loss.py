"""Draw training and validation loss by optimiser step, with the best step.

Example:
    python scripts/plot_loss.py --loss results/adapters/lora/loss.tsv --train-facts results/adapters/lora/train.json \\
        --png results/plots/loss.lora.png --svg results/plots/loss.lora.svg

Reads   the loss log and the training facts of a run.
Writes  the picture twice, same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.training import TrainFacts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--loss", type=Path, required=True, help="loss log (TSV)")
    parser.add_argument("--train-facts", type=Path, required=True, help="training facts")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    args = parser.parse_args(argv)
    from lora.report.plots.loss import plot_loss

    with recording(outputs=[args.png, args.svg]):
        try:
            log = list(csv.DictReader(args.loss.read_text(encoding="utf-8").splitlines(), delimiter="\t"))
        except FileNotFoundError:
            raise UserError(f"{args.loss}: no such file") from None
        plot_loss(log, TrainFacts.read(args.train_facts), args.png, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
