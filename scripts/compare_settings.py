"""Compare the recorded settings of a candidate with those of the baseline, field by field, on every manifest.

Example:
    python scripts/compare_settings.py --run short \\
        --baseline-settings results/transcripts/base/domain.settings.json \\
        --tuned-settings results/transcripts/short/domain.settings.json \\
        --baseline-wer results/wer/base/domain.json --tuned-wer results/wer/short/domain.json \\
        --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --tuned-transcripts results/transcripts/short/domain.jsonl \\
        --parity results/parity/short.json

Reads: settings, WER facts and raw transcripts of both runs, six lists in the same order of manifests.
Writes: parity facts, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import command
from lora.stages.parity import compare_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, help="name of the candidate")
    parser.add_argument("--baseline-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--baseline-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--baseline-transcripts", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-transcripts", type=Path, nargs="+", required=True)
    parser.add_argument("--parity", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: compare_settings(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
