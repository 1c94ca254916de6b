"""Draw the WER of baseline and runs per manifest, with intervals, and the paired differences.

Example:
    python scripts/plot_wer.py --wer results/wer/base/domain.json results/wer/lora/domain.json \\
        --paired results/paired/lora/domain.json --min-wer 0.05 \\
        --png results/plots/wer.png --svg results/plots/wer.svg

Reads   WER and paired facts, in the order in which they are to stand.
Writes  the picture twice, same bytes for the same facts.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.comparisons import PairedFacts
from lora.records.scores import WerFacts


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wer", type=Path, nargs="*", default=[], metavar="FILE", help="WER facts")
    parser.add_argument("--paired", type=Path, nargs="*", default=[], metavar="FILE", help="paired facts")
    parser.add_argument("--min-wer", type=float, help="WER from which there is headroom, a fraction")
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
    args = parser.parse_args(argv)
    from lora.report.plots.wer import plot_wer

    with recording(outputs=[args.png, args.svg]):
        wers = [WerFacts.read(path) for path in args.wer]
        paired = [PairedFacts.read(path) for path in args.paired]
        plot_wer(wers, paired, args.min_wer, args.png, args.svg)
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
