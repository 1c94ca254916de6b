"""Decode the audio of a manifest once and measure it: length, rate, loudness, clipping, bandwidth, content.

Example:
    python scripts/inspect_audio.py --manifest data/train_manifest.jsonl \\
        --measures results/integrity/train.tsv --workers 2

Reads: the manifest (formats: docs/data.md), all of its audio; `--unpacked` is the folder of unpack_audio.py.
Writes: a table with one line per row (audio that cannot be decoded has its reason in `problem`), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.source import add_source_arguments, source_from_args
from lora.provenance.command import command
from lora.stages.manifests import inspect_audio


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source_arguments(parser)
    parser.add_argument("--unpacked", type=Path)
    parser.add_argument("--measures", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1, help="decoding processes")


main = command(
    __doc__,
    add_arguments,
    lambda args: inspect_audio(source_from_args(args), args.measures, args.unpacked, args.workers),
)

if __name__ == "__main__":
    sys.exit(main())
