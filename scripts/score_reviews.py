"""Score baseline and candidates on one manifest with and without the references that listeners found wrong.

Example:
    python scripts/score_reviews.py --manifest-name domain --rows results/manifests/domain.jsonl \\
        --judgements results/reviews/judgements.jsonl --baseline-wer results/wer/base/domain.json \\
        --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --candidate lora=results/transcripts/lora/domain.jsonl --suspected results/reachable/domain.json \\
        --margin 0.005 --confidence 0.95 --target-gain 0.01 --review results/reviews/domain.json

Reads: judgements of `read_reviews.py`, canonical rows, WER facts of the baseline, transcripts of all runs, facts on
suspected reference errors. Writes: review facts (JSON), a run record. Nothing is transcribed again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.configuration.arguments import add_setting
from lora.provenance.arguments import name_and_path
from lora.provenance.command import command
from lora.stages.reviews import score_reviews


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--judgements", type=Path, required=True)
    parser.add_argument("--baseline-wer", type=Path, required=True)
    parser.add_argument("--baseline-transcripts", type=Path, required=True)
    parser.add_argument(
        "--candidate", type=name_and_path, nargs="*", default=[], metavar="NAME=PATH", help="transcripts"
    )
    parser.add_argument("--suspected", type=Path, required=True, help="facts on suspected reference errors")
    parser.add_argument("--all-rows", action="store_true", help="also rows beyond max_seconds")
    add_setting(parser, "statistics.equivalence_margin", flag="--margin", dest="margin")
    add_setting(parser, "statistics.confidence")
    add_setting(parser, "statistics.target_gain")
    parser.add_argument("--review", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: score_reviews(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
