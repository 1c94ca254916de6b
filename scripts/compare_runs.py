"""Compare a candidate with the baseline on one manifest: paired WER difference, interval, outcome, error budget.

Example:
    python scripts/compare_runs.py --run short --manifest-name domain \\
        --baseline-wer results/wer/base/domain.json --tuned-wer results/wer/short/domain.json \\
        --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --tuned-transcripts results/transcripts/short/domain.jsonl \\
        --margin 0.005 --confidence 0.95 --replicates 10000 --paired results/paired/short/domain.json

Reads: WER facts and raw transcripts of both runs. Writes: paired facts, a run record. Utterances are matched by id;
runs over different rows are impossible to compare, and the facts say so.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.configuration.arguments import add_setting
from lora.provenance.arguments import whole_number
from lora.provenance.command import command
from lora.stages.scores import compare_runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--baseline-wer", type=Path, required=True)
    parser.add_argument("--tuned-wer", type=Path, required=True)
    parser.add_argument("--baseline-transcripts", type=Path, required=True)
    parser.add_argument("--tuned-transcripts", type=Path, required=True)
    add_setting(parser, "statistics.equivalence_margin", flag="--margin", dest="margin")
    add_setting(parser, "statistics.confidence")
    parser.add_argument("--replicates", type=whole_number, required=True, help="of the bootstrap; 0 leaves it out")
    parser.add_argument("--paired", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: compare_runs(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
