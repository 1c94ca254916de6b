"""Convert a manifest of any format to JSON lines, and report how it was read.

Example:
    lora-diagnose convert --manifest data/kaldi/train --output data/train.jsonl

Reads: the manifest (formats: docs/data.md), headers of its audio. Writes: JSON lines with audio paths relative to the
output; recordings that are inside the manifest go to `<output name>.audio/` next to it; with `--rejected` a TSV of the
rows that cannot be used (line, id, reason). Existing files are overwritten only with `--force`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.configuration.arguments import add_setting
from lora.data.conversion import conversion_summary, convert
from lora.data.formats.registry import manifest_files
from lora.data.source import Source, add_source_arguments, source_from_args
from lora.data.tables import write_table
from lora.provenance.command import command
from lora.records.base import UserError
from lora.runners.markup_option import add_strip_argument
from lora.scoring.markup import REMOVABLE, chosen_kinds, count_markup, strip_markup


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_source_arguments(parser)
    parser.add_argument("--output", type=Path, required=True, help="JSON lines to write")
    parser.add_argument("--rejected", type=Path, help="TSV to write with the rows that cannot be used")
    add_strip_argument(parser, "the transcripts")
    add_setting(parser, "integrity.duration_tolerance")
    parser.add_argument("--force", action="store_true", help="overwrite existing files")


def execute(args: argparse.Namespace) -> None:
    """Convert, and print how the manifest was read."""
    source = source_from_args(args)
    if args.rejected is not None:
        _check_rejected(args, source)
    strip = chosen_kinds(args.strip)
    manifest = convert(source, args.output, args.duration_tolerance, args.force, lambda text: strip_markup(text, strip))
    if args.rejected is not None:
        write_table(args.rejected, ("line", "id", "reason"), (vars(entry) for entry in manifest.rejected))
    print(conversion_summary(source, manifest))
    for found in count_markup(row.text for row in manifest.rows):
        print(
            f"warning: {found.rows} transcripts contain {found.kind} such as {found.examples[0]}{_way_out(found.kind)}"
        )
    if not manifest.rows:
        remedy = "fix the rejected rows" if manifest.rejected else "it has no rows; name another file"
        raise UserError(f"{source.path}: no usable row, so {args.output} was not written; {remedy}")
    print(f"written: {args.output}")


def _check_rejected(args: argparse.Namespace, source: Source) -> None:
    """Raise UserError where the list of rejected rows would replace another file."""
    if args.rejected.resolve() == args.output.resolve():
        raise UserError(f"--rejected {args.rejected}: it is the --output too; name another file")
    if not args.rejected.exists():
        return
    if not args.force:
        raise UserError(f"{args.rejected}: exists already; name another file, or overwrite it with --force")
    if any(args.rejected.samefile(path) for path in manifest_files(source)):
        raise UserError(f"--rejected {args.rejected}: it is the manifest to convert; name another file")


def _way_out(kind: str) -> str:
    return f"; --strip {kind} removes them" if kind in REMOVABLE else ""


main = command(__doc__, add_arguments, execute)

if __name__ == "__main__":
    sys.exit(main())
