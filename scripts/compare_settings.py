"""Compare the recorded settings of a candidate with those of the baseline, field by field, on every manifest.

Example:
    python scripts/compare_settings.py --run short \\
        --baseline-settings results/transcripts/base/domain.settings.json \\
        --tuned-settings results/transcripts/short/domain.settings.json \\
        --baseline-wer results/wer/base/domain.json --tuned-wer results/wer/short/domain.json \\
        --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --tuned-transcripts results/transcripts/short/domain.jsonl \\
        --parity results/parity/short.json

Reads: settings, WER facts and raw transcripts of both runs, six lists in the same order of manifests. Writes: parity
facts, run record. Where the two runs were scored with different normalisers, their raw texts are scored with either.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.asr.decoding.effective_decode import DEFAULTS
from lora.data.durations import survives
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.parity import ParityFacts, Rescored
from lora.records.scores import WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript
from lora.scoring.rescoring import rescored
from lora.scoring.settings_diff import compare_settings, differing_rows
from lora.scoring.transcripts import read_transcripts


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True, help="name of the candidate")
    parser.add_argument("--baseline-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-settings", type=Path, nargs="+", required=True)
    parser.add_argument("--baseline-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-wer", type=Path, nargs="+", required=True)
    parser.add_argument("--baseline-transcripts", type=Path, nargs="+", required=True)
    parser.add_argument("--tuned-transcripts", type=Path, nargs="+", required=True)
    parser.add_argument("--parity", type=Path, required=True, help="parity facts to write")
    return parser.parse_args(argv)


def compared(args: argparse.Namespace) -> ParityFacts:
    kinds = ("settings", "wer", "transcripts")
    paths = [getattr(args, f"{side}_{kind}") for kind in kinds for side in ("baseline", "tuned")]
    if len({len(files) for files in paths}) != 1:
        counts = ", ".join(str(len(files)) for files in paths)
        raise UserError(f"the six lists must name the same manifests, got {counts} files")
    base, tuned = ([RunSettings.read(p) for p in files] for files in (args.baseline_settings, args.tuned_settings))
    base_wer, tuned_wer = ([WerFacts.read(p) for p in files] for files in (args.baseline_wer, args.tuned_wer))
    texts = [
        (read_transcripts(before), read_transcripts(after))
        for before, after in zip(args.baseline_transcripts, args.tuned_transcripts, strict=True)
    ]
    rows = [
        differing_rows(wer.manifest, *both, settings)
        for wer, both, settings in zip(base_wer, texts, zip(base, tuned, strict=True), strict=True)
    ]
    again = [
        scored_again(*wers, *both) for wers, both in zip(zip(base_wer, tuned_wer, strict=True), texts, strict=True)
    ]
    return compare_settings(args.run, base, tuned, base_wer, tuned_wer, rows, again, DEFAULTS)


def scored_again(
    base: WerFacts, tuned: WerFacts, before: dict[str, Transcript], after: dict[str, Transcript]
) -> Rescored | None:
    within = {u.id for u in base.utterances if survives(u.duration, base.max_seconds)}
    return rescored(base, tuned, before, after, within)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.parity]):
        facts = compared(args)
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
