"""Convert a manifest of any format to a canonical one, and say what was understood.

Example:
    python scripts/convert_manifest.py --manifest data/kaldi/train --output data/train.jsonl

Reads: the manifest (formats: docs/data.md), and headers of its audio. Writes: JSON lines with audio paths relative to
the output; recordings that lie inside the manifest go to `<output name>.audio/` beside it; with `--rejected` a TSV of
the rows that cannot be used (line, id, reason). Nothing that exists is overwritten without `--force`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.conversion import conversion_summary, convert
from lora.data.source import add_source_arguments, source_from_args
from lora.data.tables import write_table
from lora.provenance.command import run_command
from lora.records.base import UserError


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="JSON lines to write")
    parser.add_argument("--rejected", type=Path, default=None, help="TSV to write of rows that cannot be used")
    parser.add_argument("--force", action="store_true", help="overwrite what is there")
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    if args.rejected is not None and args.rejected.exists() and not args.force:
        raise UserError(f"{args.rejected}: exists already, and nothing is overwritten; name another, or say --force")
    source = source_from_args(args)
    manifest = convert(source, args.output, args.force)
    if args.rejected is not None:
        write_table(args.rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))
    print(conversion_summary(source, manifest))
    if not manifest.rows:
        raise UserError(f"{source.path}: no row can be used, so {args.output} was not written; mend what is rejected")
    print(f"written: {args.output}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
