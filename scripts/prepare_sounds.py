"""Draw the waveform of every row for the listening page, and convert audio that a browser cannot play.

Example:
    python scripts/prepare_sounds.py --rows results/manifests/domain.jsonl --sounds results/sounds/domain --workers 2

Reads: canonical rows and all of their audio; with `--transcripts`, only rows that have a transcript there.
Writes: a folder with `sounds.jsonl` (one line per row; one without sound has its reason) and WAV files, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.listening import prepare_sounds


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--sounds", type=Path, required=True, help="folder to write")
    parser.add_argument("--transcripts", type=Path, nargs="?", help="only rows with a transcript in this file")
    parser.add_argument("--workers", type=int, default=1, help="decoding processes")


main = command(__doc__, add_arguments, lambda args: prepare_sounds(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
