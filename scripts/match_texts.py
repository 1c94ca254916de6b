"""Compare each hypothesis with the text of its own row and with the texts of all other rows.

Example:
    python scripts/match_texts.py --manifest-name domain --rows results/manifests/domain.jsonl \\
        --transcripts results/transcripts/base/domain.jsonl --mismatches results/mismatches/domain.json

Reads: canonical rows, raw transcripts of some or all of them.
Writes: rows whose hypothesis fits the text of another row (JSON), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.scores import match_texts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--mismatches", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: match_texts(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
