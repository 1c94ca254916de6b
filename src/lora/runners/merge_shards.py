"""Write the transcripts of a run whose rows `transcribe-shard` has transcribed in parts. Loads no model.

Example:
    python -m lora.runners.experiment merge-shards --run base --model-id data/model \\
        --manifest domain=results/manifests/domain.jsonl --output-dir results/transcripts/base \\
        --shards work/shards/base/1-of-2.json work/shards/base/2-of-2.json

Reads: as `transcribe`, and what the shards wrote (`--shards`). Writes: as `transcribe`. The settings are those of the
device that the shards used, which this machine may lack.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.run_settings import Conditions
from lora.asr.decoding.shards import device_of_shards
from lora.asr.decoding.transcribe import Transcribed, transcribe_manifests
from lora.provenance.recording import Recording
from lora.records.shards import ShardFacts
from lora.runners import transcribe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    transcribe.add_arguments(parser)
    parser.add_argument(
        "--shards", type=Path, nargs="+", required=True, metavar="JSON", help="what `transcribe-shard` wrote"
    )


def execute(args: argparse.Namespace) -> int:
    def merge(manifests: Mapping[str, Rows], conditions: Conditions, run: Recording) -> dict[str, Transcribed]:
        device = device_of_shards([ShardFacts.read(path) for path in args.shards], args.cpu_threads)
        conditions = replace(conditions, device=device)
        return transcribe_manifests(args.run, manifests, conditions, args.work_dir, run, decode=False)

    return transcribe.write_transcripts(args, merge)
