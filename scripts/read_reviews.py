"""Read what listeners judged: merge review files, and list every line that cannot be used.

Example:
    python scripts/read_reviews.py --reviews reviews/anna.tsv reviews/ben.tsv \\
        --rows domain=results/manifests/domain.jsonl heldout=results/manifests/heldout.jsonl \\
        --judgements results/reviews/judgements.jsonl --rejected results/reviews/rejected.tsv

Reads: review files (tab-separated, exported by the listening page), canonical rows of all manifests. Writes: one
line per judged row (JSON lines), a table of rejected lines with reasons, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.arguments import name_and_path
from lora.provenance.command import command
from lora.stages.reviews import read_reviews


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reviews", type=Path, nargs="+", required=True, metavar="TSV")
    parser.add_argument("--rows", type=name_and_path, nargs="+", required=True, metavar="NAME=PATH")
    parser.add_argument("--judgements", type=Path, required=True)
    parser.add_argument("--rejected", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: read_reviews(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
