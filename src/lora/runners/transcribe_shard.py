"""Transcribe one of several equal parts of the rows of a run, for `transcribe` to find in the cache.

Example:
    python -m lora.runners.experiment transcribe-shard --run base --model-id data/model --shard 2 --shards 8 \\
        --manifest domain=results/manifests/domain.jsonl --record work/shards/base/2-of-8.run.json

Reads: as `transcribe`. Writes: `<work-dir>/transcripts/` and `--record`, which counts what was decoded. A model or
adapter that is broken is left for `transcribe` to report.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.asr.adapter.files import AdapterProblem
from lora.asr.adapter.identity import adapter_identity
from lora.asr.decoding.shards import Shard
from lora.asr.decoding.transcribe import transcribe_manifests
from lora.asr.model_files import UnusableModel
from lora.provenance.recording import recording
from lora.records.base import UserError
from lora.runners.options import by_name, conditions_of, limits_of, positive
from lora.runners.transcribe import add_input_arguments, check_training, read_usable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shard", type=positive, required=True, metavar="N", help="which part, from 1")
    parser.add_argument("--shards", type=positive, required=True, metavar="N", help="number of parts")
    parser.add_argument("--record", type=Path, required=True, metavar="JSON", help="record of this execution")
    add_input_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    if args.shard > args.shards:
        raise UserError(f"--shard {args.shard}: there are {args.shards} shards; use 1 to {args.shards}")
    shard = Shard(args.shard, args.shards)
    manifests = by_name(args.manifest, "--manifest")
    with recording([args.record], record_path=args.record) as run:
        rows = {name: shard.of(read_usable(name, path, run)) for name, path in manifests.items()}
        try:
            check_training(args.train_facts)
            conditions = conditions_of(args, adapter_identity(args.adapter) if args.adapter else None)
            transcribe_manifests(args.run, rows, conditions, args.work_dir, run, args.adapter, limits_of(args), shard)
        except (AdapterProblem, UnusableModel) as problem:
            run.adjust(f"nothing transcribed for run {args.run}: {problem}")
            run.count()
    return 0
