"""Split the baseline's errors on one manifest by what stands behind them: spelling, unheard words, agreement, the rest.

Example:
    python scripts/split_errors.py --manifest-name domain --baseline-wer results/wer/base/domain.json \\
        --rows results/manifests/domain.jsonl --baseline-transcripts results/transcripts/base/domain.jsonl \\
        --candidate lora=results/transcripts/lora/domain.jsonl --train results/splits/train.jsonl \\
        --reachable results/reachable/domain.json

Reads: the baseline's WER facts and transcripts, canonical rows, the candidates' transcripts, the training split.
Candidates whose transcripts are of other rows (or none) take no part. Writes: reachable facts, run record.
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
from lora.records.reachable import ReachableFacts
from lora.records.scores import WerFacts
from lora.scoring.normalizers import Normalizer, normalizer
from lora.scoring.reachable_errors import ComparedUtterance, split_errors
from lora.scoring.transcripts import read_transcripts


def named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--baseline-wer", type=Path, required=True)
    parser.add_argument("--baseline-transcripts", type=Path, required=True)
    parser.add_argument("--candidate", type=named, nargs="*", default=[], metavar="NAME=PATH", help="its transcripts")
    parser.add_argument(
        "--train", type=Path, nargs="?", help="rows of the training split, none without a training manifest"
    )
    parser.add_argument("--reachable", type=Path, required=True)
    return parser.parse_args(argv)


def facts(args: argparse.Namespace) -> ReachableFacts:
    base = WerFacts.read(args.baseline_wer)
    if base.status == "impossible":
        told = {"status": "impossible", "code": base.code, "message": base.message}
        return ReachableFacts(manifest=args.manifest_name).model_copy(update=told)
    words = normalizer(base.normalizer.name)
    vocabulary = frozenset(word for row in training_rows(args) for word in words.words(row.text))
    heard = utterances(args, base, words, texts_of(args))
    return split_errors(args.manifest_name, heard, [name for name, _ in args.candidate], vocabulary or None)


def training_rows(args: argparse.Namespace) -> list[Utterance]:
    return [] if args.train is None else read_rows(args.train)


def texts_of(args: argparse.Namespace) -> dict[str, dict[str, str]]:
    """Hypotheses by id of every candidate that transcribed the baseline's rows."""
    ids = set(read_transcripts(args.baseline_transcripts))
    read = {name: read_transcripts(path) for name, path in args.candidate}
    return {name: {id: t.hypothesis for id, t in found.items()} for name, found in read.items() if set(found) == ids}


def utterances(
    args: argparse.Namespace, base: WerFacts, words: Normalizer, tuned: Mapping[str, Mapping[str, str]]
) -> list[ComparedUtterance]:
    """Rows within max_seconds, in their order."""
    texts = {row.id: row.text for row in read_rows(args.rows)}
    transcripts = read_transcripts(args.baseline_transcripts)
    return [
        ComparedUtterance(
            errors=entry,
            reference=words.words(texts[entry.id]),
            hypothesis=words.words(transcripts[entry.id].hypothesis),
            tuned={name: words.words(found[entry.id]) for name, found in tuned.items()},
        )
        for entry in base.utterances
        if survives(entry.duration, base.max_seconds)
    ]


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.reachable]):
        facts(args).write(args.reachable)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
