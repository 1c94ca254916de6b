"""Audit training labels with the base model, before any training.

Example:
    python -m lora.runners.experiment audit --model-id data/model --dataset-path results/splits/train.jsonl \\
        --sample 64 --seed 13 --output results/labels.json --own-texts results/labels.own.jsonl

Reads: a seeded sample of the manifest's rows and their audio, model files. Writes: `--output`, the
model's own texts of these rows (`--own-texts`), and `<output>.run.json`.
A manifest without a row is a fact with a cause code, not an error.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from lora.asr.devices import confirm_device, make_deterministic
from lora.asr.training_data import SpeechRows, sample_rows
from lora.provenance import Recording, recording
from lora.records import LabelFacts, Transcript, write_lines
from lora.runners.options import add_decode_arguments, add_model_arguments, device_of, model_of, positive
from lora.runners.train import read_rows, whole

AUDIT_BATCH = 16  # teacher-forced logits of a whole batch are held at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="manifest to train on")
    parser.add_argument("--sample", type=positive, default=64, metavar="N", help="rows looked at; default: %(default)s")
    parser.add_argument("--seed", type=whole, default=13, metavar="N", help="of the sample; default: %(default)s")
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    parser.add_argument("--own-texts", type=Path, metavar="JSONL", help="the model's transcripts of the sample")
    add_model_arguments(parser)
    add_decode_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    own: list[Transcript] = []
    outputs = [args.output, *([args.own_texts] if args.own_texts else [])]
    with recording(outputs, seed=args.seed) as run:
        audit(args, run, own.extend).write(args.output)
        if args.own_texts:
            write_lines(args.own_texts, own)
    return 0


def audit(args: argparse.Namespace, run: Recording, hand_out: Callable[[list[Transcript]], None]) -> LabelFacts:
    device, files = device_of(args), model_of(args)
    part = read_rows(args.dataset_path, run)
    if not part.rows:
        message = f"{args.dataset_path}: no row to audit"
        run.adjust(message)
        return LabelFacts(status="impossible", code="data.too_few_samples", message=message)
    rows = SpeechRows(sample_rows(part.rows, args.sample, args.seed), part.folder, files.sampling_rate, args.target_rms)
    from lora.asr.families import load_model
    from lora.asr.label_probe import audit_labels

    device = confirm_device(device)
    for text in device.fallbacks:
        run.fallback(text)
    run.device(device.type, device.dtype)
    make_deterministic(args.seed, device.threads)
    speech = load_model(files, device.type, device.dtype)
    facts = audit_labels(speech, rows, min(args.batch_size, AUDIT_BATCH), args.decode, hand_out)
    run.count(decoded=len(rows))
    return facts
