"""Transcribe one of several equal parts of the rows of a run, for `merge-shards` to find in the cache.

Example:
    python -m lora.runners.experiment transcribe-shard --run base --model-id data/model --shard 2 --shards 8 \\
        --manifest domain=results/manifests/domain.jsonl --output work/shards/base/2-of-8.json

Reads: as `transcribe`. Writes: `<work-dir>/transcripts/`, `--output` (the device that was used, or why model or adapter
cannot be used) and `<output>.run.json`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.asr.adapter.identity import adapter_identity
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.decoding.shards import Shard, facts_of_problem
from lora.asr.decoding.transcribe import transcribe_manifests
from lora.asr.model_json import UnusableModel
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError
from lora.records.shards import ShardFacts
from lora.runners.options import by_name, conditions_of, limits_of, positive
from lora.runners.transcribe import add_input_arguments, check_training
from lora.runners.usable_rows import evaluation_rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shard", type=positive, required=True, metavar="N", help="which part, from 1")
    parser.add_argument("--shards", type=positive, required=True, metavar="N", help="number of parts")
    parser.add_argument("--output", type=Path, required=True, metavar="JSON", help="what `merge-shards` needs to know")
    add_input_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    if args.shard > args.shards:
        raise UserError(f"--shard {args.shard}: there are {args.shards} shards; use 1 to {args.shards}")
    with recording([args.output]) as run:
        _transcribe(args, Shard(args.shard, args.shards), run).write(args.output)
    return 0


def _transcribe(args: argparse.Namespace, shard: Shard, run: Recording) -> ShardFacts:
    manifests = by_name(args.manifest, "--manifest")
    rows = {name: shard.of(evaluation_rows(name, path, run)) for name, path in manifests.items()}
    try:
        check_training(args.train_facts)
        conditions = conditions_of(args, adapter_identity(args.adapter) if args.adapter else None)
        transcribe_manifests(args.run, rows, conditions, args.work_dir, run, args.adapter, limits_of(args), shard)
    except (AdapterProblem, UnusableModel) as problem:
        run.adjust(f"nothing transcribed for run {args.run}: {problem}")
        run.count()
        return facts_of_problem(problem)
    return ShardFacts(device=run.device_type, dtype=run.dtype, fallbacks=run.fallbacks)
