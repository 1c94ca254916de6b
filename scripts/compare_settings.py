"""Compare the recorded settings of a candidate with those of the baseline, field by field, on every manifest.

Example:
    python scripts/compare_settings.py --run short \\
        --baseline-settings results/transcripts/base/domain.settings.json \\
        --tuned-settings results/transcripts/short/domain.settings.json \\
        --baseline-wer results/wer/base/domain.json --tuned-wer results/wer/short/domain.json \\
        --parity results/parity/short.json

Reads: settings and WER facts of both runs, four lists in the same order of manifests. Writes: parity facts, run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.diagnosis.parity import compare_settings
from lora.provenance import recording, run_command
from lora.records import RunSettings, UserError, WerFacts


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="name of the candidate")
    parser.add_argument("--baseline-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--baseline-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--parity", type=Path, required=True, help="parity facts to write")
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    lists = (args.baseline_settings, args.tuned_settings, args.baseline_wer, args.tuned_wer)
    if len({len(paths) for paths in lists}) != 1:
        raise UserError(
            f"the four lists must name the same manifests, got {', '.join(str(len(p)) for p in lists)} files"
        )
    with recording(outputs=[args.parity]):
        facts = compare_settings(
            args.run,
            [RunSettings.read(path) for path in args.baseline_settings],
            [RunSettings.read(path) for path in args.tuned_settings],
            [WerFacts.read(path) for path in args.baseline_wer],
            [WerFacts.read(path) for path in args.tuned_wer],
        )
        facts.write(args.parity)
    different = [f"{s.manifest}: {s.field}" for s in facts.settings if s.same is False]
    unknown = sum(s.same is None for s in facts.settings)
    told = ", ".join(different) or "none"
    print(facts.message or f"{args.run}: {len(facts.settings)} settings compared, {unknown} unknown; different: {told}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
