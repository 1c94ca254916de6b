"""Find what an evaluation manifest shares with the training manifest: recordings, readings, sentences, speakers.

Example:
    python scripts/compare_training.py --manifest-name domain \\
        --train-rows results/manifests/train.jsonl --train-measures results/integrity/train.tsv \\
        --rows results/manifests/domain.jsonl --measures results/integrity/domain.tsv \\
        --leakage results/leakage/domain.json

Reads: canonical rows, and the measures of their audio with the hashes of its samples.
Writes: leakage facts (JSON), a run record. Texts are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.manifests import compare_training


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--train-rows", type=Path, required=True)
    parser.add_argument("--train-measures", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--measures", type=Path, required=True)
    parser.add_argument("--leakage", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: compare_training(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
