"""Write the recordings that a data set has inside its tables (Arrow, Parquet) as audio files.

Example:
    python scripts/unpack_audio.py --manifest data/saved/train --output-dir results/audio/train

Reads: the data set. Writes: one audio file per row, `rows.jsonl` with the other columns, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.source import add_source_arguments, source_from_args
from lora.provenance.command import command
from lora.stages.manifests import unpack_audio


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source_arguments(parser)
    parser.add_argument("--output-dir", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: unpack_audio(source_from_args(args), args.output_dir))

if __name__ == "__main__":
    sys.exit(main())
