"""Keep the rows of the manifest `replay` that are at most `max_seconds` long, like those of the training manifest.

Example:
    python scripts/filter_replay.py --rows results/manifests/replay.jsonl --max-seconds 10.0 \\
        --filtered results/splits/replay.jsonl

Reads: canonical rows. Writes: the remaining rows as a manifest (sorted by id), a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import seconds_or_none
from lora.provenance.command import command
from lora.stages.durations import filter_replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    parser.add_argument("--filtered", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: filter_replay(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
