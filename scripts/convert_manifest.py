"""Convert a manifest of any format to a canonical one, and report how it was read.

Example:
    python scripts/convert_manifest.py --manifest data/kaldi/train --output data/train.jsonl

Reads: the manifest (formats: docs/data.md), headers of its audio. Writes: JSON lines with audio paths relative to the
output; recordings that are inside the manifest go to `<output name>.audio/` next to it; with `--rejected` a TSV of the
rows that cannot be used (line, id, reason). Existing files are overwritten only with `--force`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.conversion import conversion_summary, convert
from lora.data.source import add_source_arguments, source_from_args
from lora.data.tables import write_table
from lora.provenance.command import command
from lora.records.base import UserError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="JSON lines to write")
    parser.add_argument("--rejected", type=Path, help="TSV to write with the rows that cannot be used")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def execute(args: argparse.Namespace) -> None:
    if args.rejected is not None and args.rejected.exists() and not args.force:
        raise UserError(f"{args.rejected}: exists already; name another file, or overwrite it with --force")
    source = source_from_args(args)
    manifest = convert(source, args.output, args.force)
    if args.rejected is not None:
        write_table(args.rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))
    print(conversion_summary(source, manifest))
    if not manifest.rows:
        raise UserError(f"{source.path}: no usable row, so {args.output} was not written; fix the rejected rows")
    print(f"written: {args.output}")


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
