"""Transcribe manifests with a model, or with a model and a LoRA adapter.

Example:
    python -m lora.runners.experiment transcribe --run base --model-id data/model \\
        --manifest domain=results/manifests/domain.jsonl --output-dir results/transcripts/base

Reads: manifests (canonical rows, or any format of docs/data.md), their audio, model files, the adapter folder,
`--train-facts`, and `<work-dir>/transcripts/`. Writes: `<output-dir>/<manifest>.jsonl` and `<manifest>.settings.json`
per manifest, one `<output-dir>/transcribe.run.json`, and `<work-dir>/transcripts/`. If every transcript is cached,
torch is not imported. A model or adapter that is broken for a reason with a cause code gets empty transcripts, and
settings with that code.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from lora.asr.adapter.identity import adapter_identity
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.run_settings import Conditions
from lora.asr.decoding.transcribe import Transcribed, transcribe_manifests
from lora.asr.model_json import UnusableModel
from lora.layout import BASE
from lora.provenance.recording import Recording, recording
from lora.records.base import write_lines
from lora.records.settings import AdapterIdentity, RunSettings
from lora.records.training import TrainFacts
from lora.runners.options import (
    add_decode_arguments,
    add_model_arguments,
    by_name,
    conditions_of,
    limits_of,
    named_path,
)
from lora.runners.usable_rows import evaluation_rows

Transcribe = Callable[[Mapping[str, Rows], Conditions, Recording], dict[str, Transcribed]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    add_input_arguments(parser)


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """What is transcribed, and how."""
    parser.add_argument("--run", required=True, metavar="NAME", help="base, or the name of a candidate")
    parser.add_argument(
        "--manifest", type=named_path, action="append", required=True, metavar="NAME=PATH", help="repeat for more"
    )
    parser.add_argument("--adapter", type=Path, metavar="DIR", help="PEFT adapter folder")
    parser.add_argument(
        "--train-facts", type=Path, metavar="JSON", help="train.json of the run that trained the adapter"
    )
    add_model_arguments(parser)
    add_decode_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    def decode(manifests: Mapping[str, Rows], conditions: Conditions, run: Recording) -> dict[str, Transcribed]:
        return transcribe_manifests(args.run, manifests, conditions, args.work_dir, run, args.adapter, limits_of(args))

    return write_transcripts(args, decode)


def write_transcripts(args: argparse.Namespace, transcribe: Transcribe) -> int:
    """Transcribe all manifests and write what `transcribe` returns, or why nothing can be transcribed."""
    manifests = by_name(args.manifest, "--manifest")
    outputs = [args.output_dir / f"{name}{end}" for name in manifests for end in (".jsonl", ".settings.json")]
    with recording(outputs, record_path=args.output_dir / "transcribe.run.json") as run:
        rows = {name: evaluation_rows(name, path, run) for name, path in manifests.items()}
        for name, result in _transcribe_or_explain(args, rows, run, transcribe).items():
            write_transcribed(args.output_dir, name, result)
    return 0


def _transcribe_or_explain(
    args: argparse.Namespace, manifests: Mapping[str, Rows], run: Recording, transcribe: Transcribe
) -> dict[str, Transcribed]:
    """Transcribe; for a broken model or adapter, return empty transcripts whose settings contain the cause code.

    Raises:
        UserError: Nothing can be transcribed. The base model is no candidate: without it there is nothing to compare.
    """
    identity: AdapterIdentity | None = None
    try:
        check_training(args.train_facts)
        identity = adapter_identity(args.adapter) if args.adapter else None
        conditions = conditions_of(args, identity)
        if conditions.files.tokenizer_path is not None:
            run.adjust(f"{args.model_id} has no tokenizer: that of {args.tokenizer_from} was used")
        return transcribe(manifests, conditions, run)
    except AdapterProblem as problem:
        settings = conditions_of(args, identity).impossible(args.run, problem.code, problem.message)
    except UnusableModel as error:
        if args.run == BASE:
            raise
        settings = RunSettings(run=args.run, status="impossible", code="adapter.not_loaded", message=str(error))
    run.adjust(f"nothing transcribed for run {args.run}: {settings.code}: {settings.message}")
    run.count()
    return {name: Transcribed([], settings) for name in manifests}


def write_transcribed(folder: Path, name: str, result: Transcribed) -> None:
    write_lines(folder / f"{name}.jsonl", result.transcripts)
    result.settings.write(folder / f"{name}.settings.json")


def check_training(path: Path | None) -> None:
    """Raise AdapterProblem with the cause code of a training that created no adapter."""
    if path is None:
        return
    facts = TrainFacts.read(path)
    if facts.status == "impossible":
        raise AdapterProblem(facts.code or "adapter.not_loaded", facts.message or "training created no adapter")
