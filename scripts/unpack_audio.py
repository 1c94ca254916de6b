"""Write the recordings that a data set keeps inside its tables (Arrow, Parquet) as files, so that they can be heard.

Example:
    python scripts/unpack_audio.py --manifest data/saved/train --output-dir results/audio/train

Reads: the data set. Writes: an audio file a row, `rows.jsonl` with the other columns; a run record beside the folder.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.formats.registry import unpack_audio
from lora.data.source import add_source_arguments, source_from_args
from lora.provenance.command import run_command
from lora.provenance.recording import recording


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_arguments(parser)
    parser.add_argument("--output-dir", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.output_dir]):
        rows = unpack_audio(source_from_args(args), args.output_dir)
    print(f"{args.manifest}: {rows} rows unpacked")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
