"""Say what an evaluation manifest shares with the training manifest: recordings, readings, sentences, speakers.

Example:
    python scripts/compare_training.py --manifest-name domain \\
        --train-rows results/manifests/train.jsonl --train-measures results/integrity/train.tsv \\
        --rows results/manifests/domain.jsonl --measures results/integrity/domain.tsv \\
        --leakage results/leakage/domain.json

Reads: canonical rows and the measures of their audio (for the hashes of its samples).
Writes: leakage facts (JSON) and a run record. Texts are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.leakage import leakage
from lora.data.manifest import read_rows
from lora.data.tables import read_records
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.integrity import AudioMeasure
from lora.scoring.normalizers import normalizer


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest-name", required=True)
    parser.add_argument("--train-rows", type=Path, required=True)
    parser.add_argument("--train-measures", type=Path, required=True)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--measures", type=Path, required=True)
    parser.add_argument("--leakage", type=Path, required=True)
    return parser.parse_args(argv)


def hashes(measures: Path) -> dict[str, str]:
    """Hash of the samples by id; audio that does not decode has none, and digital silence is nobody's recording."""
    heard = [m for m in read_records(measures, AudioMeasure) if m.bandwidth is not None]
    return {m.id: m.audio_hash for m in heard if m.audio_hash is not None}


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.leakage]):
        facts = leakage(
            args.manifest_name,
            read_rows(args.train_rows),
            read_rows(args.rows),
            normalizer("basic").words,
            hashes(args.train_measures),
            hashes(args.measures),
        )
        facts.write(args.leakage)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
