"""Split the baseline's errors on one manifest by source: spelling, out-of-vocabulary words, agreement, the rest.

Example:
    python scripts/split_errors.py --manifest-name domain --baseline-wer results/wer/base/domain.json \\
        --rows results/manifests/domain.jsonl --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --candidate lora=results/transcripts/lora/domain.jsonl --candidate-wer lora=results/wer/lora/domain.json \\
        --train results/splits/train.jsonl --reachable results/reachable/domain.json

Reads: WER facts and transcripts of the baseline and of the candidates, canonical rows, the training split.
Candidates with other rows than the baseline are left out. Writes: error sources (JSON), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import name_and_path
from lora.provenance.command import command
from lora.stages.scores import split_errors


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--baseline-wer", type=Path, required=True)
    parser.add_argument("--baseline-transcripts", type=Path, required=True)
    parser.add_argument(
        "--candidate", type=name_and_path, nargs="*", default=[], metavar="NAME=PATH", help="transcripts"
    )
    parser.add_argument(
        "--candidate-wer", type=name_and_path, nargs="*", default=[], metavar="NAME=PATH", help="WER facts"
    )
    parser.add_argument("--train", type=Path, nargs="?", help="rows of the training split; none without training")
    parser.add_argument("--reachable", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: split_errors(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
