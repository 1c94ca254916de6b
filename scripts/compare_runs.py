"""Compare a candidate with the baseline on one manifest: paired difference of WER, its interval, its
outcome, and where it comes from.

Example:
    python scripts/compare_runs.py --run short --manifest-name domain \\
        --baseline-wer results/wer/base/domain.json --tuned-wer results/wer/short/domain.json \\
        --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --tuned-transcripts results/transcripts/short/domain.jsonl \\
        --margin 0.005 --confidence 0.95 --replicates 10000 --paired results/paired/short/domain.json

Reads: WER facts (errors of every utterance) and raw transcripts of both runs. Writes: paired facts, run
record. Utterances are matched by id. A missing or extra id, or another reference, is a parity failure that
is recorded: the facts are impossible then, never those of a silent intersection.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

from lora.data.durations import survives
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.records.comparisons import PairedFacts, PairedScore
from lora.records.scores import Power, UtteranceErrors, WerFacts
from lora.records.transcripts import Transcript
from lora.scoring.budget import error_budget
from lora.scoring.paired import paired_score
from lora.scoring.rescoring import common_normalizer, errors_with_normalizer, same_text
from lora.scoring.transcripts import ids_message, read_transcripts

NOT_SCORED_ALIKE = "the two runs were scored with different normalisers, neither of which is installed in that version"


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--baseline-wer", type=Path, required=True)
    parser.add_argument("--tuned-wer", type=Path, required=True)
    parser.add_argument("--baseline-transcripts", type=Path, required=True)
    parser.add_argument("--tuned-transcripts", type=Path, required=True)
    parser.add_argument("--margin", type=float, required=True, help="equivalence margin, WER as a fraction")
    parser.add_argument("--confidence", type=float, required=True)
    parser.add_argument("--replicates", type=int, required=True, help="of the bootstrap; 0 leaves it out")
    parser.add_argument("--paired", type=Path, required=True)
    return parser.parse_args(argv)


def facts(args: argparse.Namespace) -> PairedFacts:
    base, tuned = WerFacts.read(args.baseline_wer), WerFacts.read(args.tuned_wer)
    if base.max_seconds != tuned.max_seconds:
        raise UserError(
            f"{args.tuned_wer}: scored with max_seconds {tuned.max_seconds}, "
            f"the baseline with {base.max_seconds}; "
            "score both again"
        )
    empty = PairedFacts(
        run=args.run,
        manifest=args.manifest_name,
        max_seconds=base.max_seconds,
        equivalence_margin=args.margin,
    )
    before, after = read_transcripts(args.baseline_transcripts), read_transcripts(args.tuned_transcripts)
    mismatch = differing_rows(before, after)
    for side in (base, tuned):
        if side.status == "impossible":
            ids = mismatch if side.code == "parity.manifest" else {}
            copied = {"status": "impossible", "code": side.code, "message": f"{side.run}: {side.message}"}
            return empty.model_copy(update={**ids, **copied})
    if mismatch:
        return empty.model_copy(update={"status": "impossible", "code": "parity.manifest", **mismatch})
    if base.normalizer != tuned.normalizer:
        words = common_normalizer(base, tuned)
        if words is None:
            return empty.model_copy(
                update={"status": "impossible", "code": "parity.normalization", "message": NOT_SCORED_ALIKE}
            )
        both = ((base, before), (tuned, after))
        base, tuned = (
            side.model_copy(
                update={"normalizer": words.identity, "utterances": errors_with_normalizer(words, side, texts)}
            )
            for side, texts in both
        )
    second = {entry.id: entry for entry in tuned.utterances}
    changed = {name for name in before if before[name].hypothesis != after[name].hypothesis}
    within = [entry for entry in base.utterances if survives(entry.duration, base.max_seconds)]
    return empty.model_copy(
        update={
            "normalizer": base.normalizer,
            "within": score(within, second, changed, base.power, args),
            "all": score(base.utterances, second, changed, base.power, args),
            "budget": error_budget(within, [second[entry.id] for entry in within]),
        }
    )


def differing_rows(before: Mapping[str, Transcript], after: Mapping[str, Transcript]) -> dict[str, object]:
    """Ids that only one side has, and references that differ, with a message; empty when the rows are the
    same.
    """
    missing, extra = sorted(set(before) - set(after)), sorted(set(after) - set(before))
    if missing or extra:
        message = ids_message(missing, extra, "the tuned run", "the baseline")
        return {"missing_ids": missing, "extra_ids": extra, "message": message}
    claimed = {name: (before[name].run_reference, after[name].run_reference) for name in before}
    other = sorted(name for name, texts in claimed.items() if not same_text(*texts))
    if other:
        return {"message": f"{len(other)} references differ between the runs, first that of {other[0]}"}
    return {}


def score(
    base: Sequence[UtteranceErrors],
    second: Mapping[str, UtteranceErrors],
    changed: Set[str],
    foreseen: Power | None,
    args: argparse.Namespace,
) -> PairedScore:
    tuned = [second[entry.id] for entry in base]
    count = sum(entry.id in changed for entry in base)
    gain = foreseen.target_gain if foreseen else None
    return paired_score(base, tuned, count, args.margin, args.confidence, args.replicates, gain)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.paired]):
        result = facts(args)
        result.write(args.paired)
    if result.within is None:
        print(f"{args.run} on {args.manifest_name}: impossible: {result.message}")
    else:
        print(f"{args.run} on {args.manifest_name}: {result.within.outcome}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
