"""Measure what one adapter changes, stage by stage: files, loaded tensors, weights, logits, texts.

Example:
    python -m lora.runners.experiment effect --run short --model-id data/model \\
        --adapter results/adapters/short/best --train-facts results/adapters/short/train.json \\
        --dataset-path results/splits/val.jsonl --sample 32 --output results/effect/short.json

Reads: the adapter folder, `--train-facts`, a seeded sample of the manifest's rows and their audio, model files,
`<work-dir>/effect/`. Writes: `--output`, `<output>.run.json`, and `<work-dir>/effect/`, from which a measurement of
the same adapter and sample is copied without importing torch. An adapter that cannot be loaded is a fact with a cause
code, not an error.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from lora.asr.adapter.identity import adapter_content, require_unchanged
from lora.asr.device_memory import retry_with_smaller_batches
from lora.asr.devices import confirm_device, make_deterministic, record_device
from lora.asr.kept_measurements import Measurement, copy_or_measure
from lora.asr.training.data import SpeechRows, batches_in_order, sample_rows
from lora.configuration.arguments import add_setting
from lora.provenance.recording import Recording, recording
from lora.records.effect import EffectFacts
from lora.records.training import ModuleChange, TrainFacts
from lora.runners.options import add_decode_arguments, add_model_arguments, device_of, model_of, not_negative
from lora.runners.usable_rows import training_rows

LADDER_BATCH = 8  # logits of a whole batch are in memory at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the candidate")
    parser.add_argument("--adapter", required=True, metavar="DIR", help="PEFT adapter folder")
    parser.add_argument(
        "--train-facts", type=Path, metavar="JSON", help="train.json of the run that trained the adapter"
    )
    parser.add_argument(
        "--dataset-path", type=Path, required=True, metavar="PATH", help="manifest, preferably of validation rows"
    )
    add_setting(parser, "adapter.sample")
    parser.add_argument(
        "--seed", type=not_negative, default=13, metavar="N", help="seed of the sample (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    add_model_arguments(parser)
    add_decode_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    with recording([args.output], seed=args.seed) as run:
        training = None if args.train_facts is None else TrainFacts.read(args.train_facts)
        if training is not None and training.status == "impossible":
            _write(args, run, _no_adapter(args, training))
        else:
            effect(args, run, [] if training is None else training.changes)
    return 0


def _no_adapter(args: argparse.Namespace, training: TrainFacts) -> EffectFacts:
    """Facts of a run whose training created no adapter."""
    return EffectFacts(
        run=args.run, adapter=args.adapter, status="impossible", code=training.code, message=training.message
    )


def effect(args: argparse.Namespace, run: Recording, changes: list[ModuleChange]) -> None:
    """Measure all stages on a sample of the rows, or copy what was measured on the same one before, and write it."""
    device = device_of(args)
    files = model_of(args)
    part = training_rows(args.dataset_path, run)
    measurement = Measurement(
        command="effect",
        files=files,
        device=device,
        rows=replace(part, rows=sample_rows(part.rows, args.sample, args.seed)),
        target_rms=args.target_rms,
        decode=args.decode,
        batch_size=min(args.batch_size, LADDER_BATCH),
        others={
            "run": args.run,  # the facts name run and folder
            "folder": args.adapter,
            "adapter": adapter_content(args.adapter),
            "changes": [change.to_json() for change in changes],
        },
    )
    record_device(device, run)
    copy_or_measure(
        measurement.folder(args.work_dir),
        {"effect.json": args.output},
        run,
        lambda: _measure(args, measurement, changes, run),
    )


def _measure(args: argparse.Namespace, measurement: Measurement, changes: list[ModuleChange], run: Recording) -> bool:
    """Measure all stages with the model; whether that was done on the intended device."""
    from lora.asr.labels.build import long_labels
    from lora.asr.ladder.effect import ValidationBatch, measure_effect
    from lora.asr.model_loading import load_model

    files = measurement.files
    device = confirm_device(measurement.device)
    record_device(device, run)
    rows = SpeechRows(measurement.rows.rows, measurement.rows.folder, files.sampling_rate, args.target_rms)
    make_deterministic(args.seed, device.threads)
    speech = load_model(files, device.type, device.dtype)
    long = long_labels(speech, [row.text for row in rows.rows], [row.duration for row in rows.rows])
    for index, reason in long.items():
        run.adjust(f"row {rows.rows[index].id}: left out: {reason}")
    rows = rows.only([index for index in range(len(rows)) if index not in long])
    steps = rows.steps(speech.sampling_rate, speech.grid_seconds)
    loaded = [speech]  # used by the first attempt; the adapter changes it
    del speech

    def attempt(size: int) -> EffectFacts:
        """Measure all stages with one batch size: they compare results bit by bit, and these depend on it."""
        batches = []
        for indices in batches_in_order(steps, size):
            items = [rows[index] for index in indices]
            batches.append(ValidationBatch([item["audio"] for item in items], [item["text"] for item in items]))
        fresh = loaded.pop() if loaded else load_model(files, device.type, device.dtype)
        return measure_effect(fresh, args.run, args.adapter, batches, args.decode, changes)

    facts = retry_with_smaller_batches(measurement.batch_size, run.adjust, attempt)
    require_unchanged(args.adapter, measurement.others["adapter"], adapter_content(args.adapter))
    run.count(decoded=len(rows))
    _write(args, run, facts)
    return device == measurement.device


def _write(args: argparse.Namespace, run: Recording, facts: EffectFacts) -> None:
    if facts.status == "impossible":
        run.adjust(f"run {args.run}: {facts.code}: {facts.message}")
    facts.write(args.output)
