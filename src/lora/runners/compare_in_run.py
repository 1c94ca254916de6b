"""Evaluate a saved adapter alone and compare its texts with those of the last evaluation while it was trained.

Example:
    python -m lora.runners.experiment compare-in-run --run short --model-id data/model \\
        --training-dir results/adapters/short --manifest domain=results/manifests/domain.jsonl \\
        --output results/in_run/short.json

Reads: `last/`, `train.json` and `in_run/` of the training folder (written with `--eval-rows`), the manifests that were
evaluated, their audio, model files, `<work-dir>/transcripts/`. Writes: `--output` and `<output>.run.json`. The rows and
the decoding settings are those of the training (`eval_rows`, `eval_decode`). A training without an adapter, or an
adapter that cannot be loaded, is a fact with a cause code, not an error.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from lora.asr.adapter.identity import adapter_identity
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.run_settings import conditions
from lora.asr.decoding.transcribe import Transcribed, transcribe_manifests
from lora.asr.training.data import evaluated_rows
from lora.asr.training.file_names import FACTS, IN_RUN, LAST
from lora.asr.training.in_run_comparison import compare_texts
from lora.layout import BASE
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError, read_lines
from lora.records.in_run import InRunFacts
from lora.records.training import TrainFacts
from lora.records.transcripts import Transcript
from lora.runners.options import add_model_arguments, by_name, device_of, model_of, named_path
from lora.runners.usable_rows import evaluation_rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run")
    parser.add_argument("--training-dir", type=Path, required=True, metavar="DIR", help="output folder of the training")
    parser.add_argument(
        "--manifest", type=named_path, action="append", required=True, metavar="NAME=PATH", help="repeat for more"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    add_model_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    with recording([args.output]) as run:
        training = TrainFacts.read(args.training_dir / FACTS)
        if training.status == "impossible":
            facts = InRunFacts(run=args.run, status="impossible", code=training.code, message=training.message)
        else:
            facts = _compare(args, training, run)
        if facts.status == "impossible":
            run.adjust(f"run {args.run}: {facts.code}: {facts.message}")
            run.count()
        facts.write(args.output)
    return 0


def _compare(args: argparse.Namespace, training: TrainFacts, run: Recording) -> InRunFacts:
    """Transcribe with the saved adapter and with the base model, and compare the texts."""
    count = training.settings.get("eval_rows")
    if not count:
        raise UserError(f"{args.training_dir / FACTS}: it was trained without eval_rows, so nothing can be compared")
    rows: dict[str, Rows] = {}
    for name, path in by_name(args.manifest, "--manifest").items():
        usable = evaluation_rows(name, path, run)
        rows[name] = replace(usable, rows=evaluated_rows(usable.rows, count))
    in_run = {name: _transcripts(args.training_dir / IN_RUN / f"{name}.jsonl") for name in rows}
    decode, adapter, device = training.settings["eval_decode"], args.training_dir / LAST, device_of(args)

    def transcribe(name: str, adapter: Path | None) -> dict[str, Transcribed]:
        identity = None if adapter is None else adapter_identity(adapter)
        same = conditions(model_of(args), device, decode, args.target_rms, identity)
        return transcribe_manifests(name, rows, same, args.work_dir, run, adapter)

    try:
        alone = transcribe(args.run, adapter)
    except AdapterProblem as problem:
        return InRunFacts(run=args.run, status="impossible", code=problem.code, message=problem.message)
    base = transcribe(BASE, None)
    compared = [compare_texts(name, in_run[name], alone[name].transcripts, base[name].transcripts) for name in rows]
    return InRunFacts(
        run=args.run,
        step=training.optimizer_steps,
        rows=sum(one.rows for one in compared),
        same_as_in_run=sum(one.same_as_in_run for one in compared),
        same_as_base=sum(one.same_as_base for one in compared),
        manifests=compared,
        settings=next(iter(alone.values())).settings.model_copy(update={"manifest": None}),
    )


def _transcripts(path: Path) -> list[Transcript]:
    """Transcripts of an evaluation during training. Raises UserError where there are none."""
    if not path.is_file():
        raise UserError(f"{path}: no such file; train with --eval-rows and this --manifest")
    return list(read_lines(path, Transcript))
