"""Measure what one adapter changes, stage by stage: files, loaded tensors, weights, logits, texts.

Example:
    python -m lora.runners.experiment effect --run short --model-id data/model \\
        --adapter results/adapters/short/best --train-facts results/adapters/short/train.json \\
        --dataset-path results/splits/val.jsonl --sample 32 --output results/effect/short.json

Reads: the adapter folder, `--train-facts`, a seeded sample of the manifest's rows and their audio, model files.
Writes: `--output` and `<output>.run.json`. An adapter that cannot be loaded is a fact with a cause code, not an error.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.asr.device_memory import retry_with_smaller_batches
from lora.asr.devices import confirm_device, make_deterministic
from lora.asr.training.data import SpeechRows, batches_in_order, sample_rows
from lora.configuration.arguments import add_setting
from lora.provenance.recording import Recording, recording
from lora.records.effect import EffectFacts
from lora.records.training import TrainFacts
from lora.runners.options import add_decode_arguments, add_model_arguments, device_of, model_of, not_negative
from lora.runners.train import read_rows

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
        facts = _training_failure(args) or _measure(args, run)
        if facts.status == "impossible":
            run.adjust(f"run {args.run}: {facts.code}: {facts.message}")
        facts.write(args.output)
    return 0


def _training_failure(args: argparse.Namespace) -> EffectFacts | None:
    """Facts of a run whose training created no adapter; None if it created one."""
    if args.train_facts is None:
        return None
    training = TrainFacts.read(args.train_facts)
    if training.status == "ok":
        return None
    return EffectFacts(
        run=args.run, adapter=args.adapter, status="impossible", code=training.code, message=training.message
    )


def _measure(args: argparse.Namespace, run: Recording) -> EffectFacts:
    """Load the model and measure all stages on a sample of the rows."""
    device = device_of(args)
    files = model_of(args)
    part = read_rows(args.dataset_path, run)
    rows = SpeechRows(sample_rows(part.rows, args.sample, args.seed), part.folder, files.sampling_rate, args.target_rms)
    from lora.asr.labels.build import long_labels
    from lora.asr.ladder.effect import ValidationBatch, measure_effect
    from lora.asr.model_loading import load_model

    device = confirm_device(device)
    for text in device.fallbacks:
        run.fallback(text)
    run.device(device.type, device.dtype)
    changes = TrainFacts.read(args.train_facts).changes if args.train_facts else []
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

    facts = retry_with_smaller_batches(min(args.batch_size, LADDER_BATCH), run.adjust, attempt)
    run.count(decoded=len(rows))
    return facts
