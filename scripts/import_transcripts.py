"""Import transcripts that another pipeline made.

Example:
    python scripts/import_transcripts.py --run theirs --manifest-name domain \\
        --rows results/manifests/domain.jsonl --rejected results/manifests/domain.rejected.tsv \\
        --hypotheses theirs.jsonl --recorded theirs.settings.json \\
        --transcripts results/transcripts/theirs/domain.jsonl \\
        --settings results/transcripts/theirs/domain.settings.json \\
        --account results/transcripts/theirs/domain.import.json

Reads: usable and rejected rows of the manifest; hypotheses (formats: docs/candidates.md); the settings file next to
them (`<stem>.settings.json`: the runner's own record, or some of its keys).
Writes: transcripts; settings, in which everything that was not recorded is unknown; an account of how ids were matched.
Without a file after `--hypotheses` the run has no transcripts of this manifest, and its settings say so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.data.transcripts.columns import COLUMNS, column
from lora.data.transcripts.files import FORMATS
from lora.provenance.command import command
from lora.stages.imports import import_transcripts


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--rejected", type=Path, help="table of the manifest's rejected rows")
    parser.add_argument("--hypotheses", required=True, nargs="?", type=Path)
    parser.add_argument("--recorded", nargs="?", type=Path, help="settings file next to the hypotheses")
    parser.add_argument("--format", choices=FORMATS, help="default: by suffix, else by the first lines")
    parser.add_argument(
        "--columns",
        type=column,
        nargs="*",
        default=[],
        metavar="WHAT=COLUMN",
        help=f"WHAT is one of {', '.join(COLUMNS)}",
    )
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--account", type=Path, required=True, help="file that says how each id was matched")


main = command(__doc__, add_arguments, lambda args: import_transcripts(**{**vars(args), "columns": dict(args.columns)}))

if __name__ == "__main__":
    sys.exit(main())
