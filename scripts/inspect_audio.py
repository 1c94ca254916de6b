"""Decode the audio of a manifest once and measure it: length, rate, loudness, clipping, bandwidth, content.

Example:
    python scripts/inspect_audio.py --manifest data/train_manifest.jsonl \\
        --measures results/integrity/train.tsv --workers 2

Reads: the manifest (any format of docs/data.md; `--unpacked` is what unpack_audio.py made of recordings that lie inside
its own files) and all of its audio. Writes: a TSV with a row a usable line (rows whose audio cannot be decoded
have their reason in `problem`), and a run record.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lora.data.audio.inspection import inspect_rows
from lora.data.manifest import read_manifest
from lora.data.source import add_source_arguments, source_from_args
from lora.data.tables import write_table
from lora.provenance.command import run_command
from lora.provenance.recording import recording
from lora.records.integrity import AudioMeasure


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_source_arguments(parser)
    parser.add_argument("--unpacked", type=Path, default=None)
    parser.add_argument("--measures", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=1, help="processes that decode")
    return parser.parse_args(argv)


def execute(args: argparse.Namespace) -> int:
    with recording(outputs=[args.measures]):
        manifest = read_manifest(source_from_args(args), args.unpacked)
        measures = inspect_rows(manifest.rows, manifest.folder, args.workers)
        write_table(args.measures, tuple(AudioMeasure.model_fields), (measure.to_json() for measure in measures))
    damaged = sum(measure.problem is not None for measure in measures)
    print(f"{args.manifest}: {len(measures)} rows measured, {damaged} cannot be decoded")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    return run_command(lambda: execute(parse(argv)))


if __name__ == "__main__":
    sys.exit(main())
