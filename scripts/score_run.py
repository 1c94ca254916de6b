"""Score the transcripts of one run on one manifest: errors of each utterance, corpus WER with intervals, power.

Example:
    python scripts/score_run.py --run base --manifest-name domain --rows results/manifests/domain.jsonl \\
        --transcripts results/transcripts/base/domain.jsonl --max-seconds 10.0 --normalizer english \\
        --confidence 0.95 --replicates 10000 --assumed-shared-errors 0.8 --target-gain 0.01 \\
        --settings results/transcripts/base/domain.settings.json --wer results/wer/base/domain.json

Reads: canonical rows (the references), raw transcripts, the run's settings (an impossible run stays impossible, with
its cause). Writes: WER facts, a run record.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.configuration.arguments import add_setting
from lora.provenance.arguments import seconds_or_none, whole_number
from lora.provenance.command import command
from lora.scoring.markup import REMOVABLE
from lora.scoring.normalizers import NAMES
from lora.scoring.units import UNITS
from lora.stages.scores import score_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    parser.add_argument("--normalizer", choices=NAMES, required=True, dest="normalizer_name")
    parser.add_argument("--unit", choices=UNITS, default="auto", help="of the error rate; default: %(default)s")
    parser.add_argument("--strip", nargs="*", choices=("all", *REMOVABLE), default=[], help="markup to remove first")
    add_setting(parser, "statistics.confidence")
    parser.add_argument("--replicates", type=whole_number, required=True, help="of the bootstrap; 0 leaves it out")
    add_setting(parser, "statistics.assumed_shared_errors")
    add_setting(parser, "statistics.target_gain")
    parser.add_argument("--settings", type=Path, help="settings of the run")
    parser.add_argument("--wer", type=Path, required=True)


main = command(__doc__, add_arguments, lambda args: score_run(**vars(args)))

if __name__ == "__main__":
    sys.exit(main())
