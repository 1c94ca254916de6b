"""Score the transcripts of one run on one manifest: errors of every utterance, corpus WER with intervals,
power.

Example:
    python scripts/score_run.py --run base --manifest-name domain --rows results/manifests/domain.jsonl \\
        --transcripts results/transcripts/base/domain.jsonl --max-seconds 10.0 --normalizer english \\
        --confidence 0.95 --replicates 10000 --assumed-shared-errors 0.8 --target-gain 0.01 \\
        --settings results/transcripts/base/domain.settings.json --wer results/wer/base/domain.json

Reads: canonical rows (references are theirs), raw transcripts, optionally the run's settings (an impossible
run stays impossible, with its cause). Writes: WER facts, run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lora.data.durations import survives
from lora.data.manifest import read_rows
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.manifests import Utterance
from lora.records.scores import Loop, WerFacts
from lora.records.settings import RunSettings
from lora.records.transcripts import Transcript
from lora.scoring.alignment import utterance_errors
from lora.scoring.corpus_wer import wer_score
from lora.scoring.loops import longest_loop
from lora.scoring.normalizers import NAMES, Normalizer, normalizer
from lora.scoring.power import forecast_power
from lora.scoring.transcripts import ids_message, read_transcripts


def seconds_or_none(text: str) -> float | None:
    return None if text in {"none", "null"} else float(text)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", required=True)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--transcripts", type=Path, required=True)
    parser.add_argument("--max-seconds", type=seconds_or_none, required=True, metavar="SECONDS|none")
    parser.add_argument("--normalizer", choices=NAMES, required=True)
    parser.add_argument("--confidence", type=float, required=True)
    parser.add_argument("--replicates", type=int, required=True, help="of the bootstrap; 0 leaves it out")
    parser.add_argument("--assumed-shared-errors", type=float, required=True)
    parser.add_argument("--target-gain", type=float, required=True, help="WER as a fraction")
    parser.add_argument("--settings", type=Path, default=None, help="of the run, to pass on why it is impossible")
    parser.add_argument("--wer", type=Path, required=True)
    return parser.parse_args(argv)


def facts(args: argparse.Namespace, words: Normalizer) -> WerFacts:
    empty = WerFacts(run=args.run, manifest=args.manifest_name, normalizer=words.identity, max_seconds=args.max_seconds)
    settings = RunSettings.read(args.settings) if args.settings else None
    if settings is not None and settings.status == "impossible":
        copied = {"status": "impossible", "code": settings.code, "message": settings.message}
        return empty.model_copy(update=copied)
    rows, transcripts = read_rows(args.rows), read_transcripts(args.transcripts)
    missing = sorted({row.id for row in rows} - set(transcripts))
    extra = sorted(set(transcripts) - {row.id for row in rows})
    if missing or extra:
        message = ids_message(missing, extra, "the transcripts", "the manifest")
        return empty.model_copy(update={"status": "impossible", "code": "parity.manifest", "message": message})
    return empty.model_copy(update=scores(args, rows, transcripts, words))


def scores(
    args: argparse.Namespace,
    rows: Sequence[Utterance],
    transcripts: Mapping[str, Transcript],
    words: Normalizer,
) -> dict[str, object]:
    scored = utterance_errors(rows, transcripts, words)
    within_rows = [row for row in rows if survives(row.duration, args.max_seconds)]
    within = [entry for entry in scored if survives(entry.duration, args.max_seconds)]
    raw = utterance_errors(within_rows, transcripts, normalizer("none"))
    return {
        "within": wer_score(within, transcripts, args.confidence, args.replicates),
        "all": wer_score(scored, transcripts, args.confidence, args.replicates),
        "raw": wer_score(raw, transcripts, args.confidence, args.replicates),
        "loops": loops(within_rows, transcripts, words),
        "power": forecast_power(within, args.assumed_shared_errors, args.target_gain, args.confidence),
        "utterances": scored,
    }


def loops(rows: Sequence[Utterance], transcripts: Mapping[str, Transcript], words: Normalizer) -> list[Loop]:
    """Looping hypotheses, in the order of rows."""
    heard = (longest_loop(row.id, words.words(row.text), words.words(transcripts[row.id].hypothesis)) for row in rows)
    return [loop for loop in heard if loop is not None]


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.wer]):
        result = facts(args, normalizer(args.normalizer))
        result.write(args.wer)
    wer = result.within.wer if result.within else None
    told = f"impossible: {result.message}" if result.status == "impossible" else "no reference word"
    print(f"{args.run} on {args.manifest_name}: " + (told if wer is None else f"WER {100 * wer:.2f} %"))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
