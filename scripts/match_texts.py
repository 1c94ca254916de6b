"""Compare what the base model heard of a manifest with its own text and with the texts of all other rows.

Example:
    python scripts/match_texts.py --manifest-name domain --rows results/manifests/domain.jsonl \\
        --transcripts results/transcripts/base/domain.jsonl --mismatches results/mismatches/domain.json

Reads: canonical rows, and raw transcripts of some or all of them. Writes: rows that another row's text fits (JSON), and
a run record. Texts are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.manifest import read_rows
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.scoring.normalizers import normalizer
from lora.scoring.transcript_mismatches import mismatches
from lora.scoring.transcripts import read_transcripts


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--mismatches", type=Path, required=True)
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.mismatches]):
        rows, transcripts = read_rows(args.rows), read_transcripts(args.transcripts)
        facts = mismatches(args.manifest_name, rows, transcripts, normalizer("basic").words)
        facts.write(args.mismatches)
    print(f"{args.manifest_name}: {facts.compared} rows compared, {len(facts.mismatched)} say another row's text")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
