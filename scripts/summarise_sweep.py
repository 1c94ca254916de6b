"""Put every entry of the sweep beside the baseline, best first within each manifest.

Example: python scripts/summarise_sweep.py --paired results/paired/r16/domain.json --table results/sweep.tsv
Reads: paired facts of every entry and manifest. Writes: one row per entry and manifest; WER and delta are fractions.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import write_text
from lora.records.comparisons import PairedFacts

COLUMNS = ("manifest", "run", "baseline_wer", "tuned_wer", "delta", "ci_low", "ci_high", "outcome")


def table_row(facts: PairedFacts) -> tuple[str, ...]:
    score = facts.within
    if score is None:
        return (facts.manifest, facts.run, "", "", "", "", "", facts.code or "unknown")
    numbers = (score.baseline_wer, score.tuned_wer, score.delta, score.interval.low, score.interval.high)
    written = ("" if number is None else f"{number:.6f}" for number in numbers)
    return (facts.manifest, facts.run, *written, score.outcome)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[str(args.table)]):
        facts = [PairedFacts.read(path) for path in args.paired]
        deltas = {id(f): f.within.delta for f in facts if f.within is not None and f.within.delta is not None}
        facts.sort(key=lambda f: (f.manifest, deltas.get(id(f), float("inf")), f.run))
        write_text(args.table, "".join("\t".join(row) + "\n" for row in [COLUMNS, *map(table_row, facts)]))
    return 0


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paired", required=True, nargs="*", type=Path)
    parser.add_argument("--table", required=True, type=Path)
    args = parser.parse_args(argv)
    return run_command(lambda: execute(args))


if __name__ == "__main__":
    sys.exit(main())
