"""Audit training labels with the base model, before any training.

Example:
    python -m lora.runners.experiment audit --model-id data/model --dataset-path results/splits/train.jsonl \\
        --sample 64 --seed 13 --output results/labels.json --hypotheses results/labels.hypotheses.jsonl

Reads: a seeded sample of the manifest's rows and their audio, model files, `<work-dir>/audit/`. Writes: `--output`,
greedy hypotheses of these rows (`--hypotheses`), `<output>.run.json`, and `<work-dir>/audit/`, from which an audit of
the same sample is copied without importing torch.
A manifest without rows is a fact with a cause code, not an error.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora.asr.device_memory import retry_with_smaller_batches
from lora.asr.devices import confirm_device, make_deterministic, record_device
from lora.asr.kept_measurements import Measurement, copy_or_measure
from lora.asr.training.data import SpeechRows, sample_rows
from lora.configuration.arguments import add_setting, parse_object
from lora.configuration.schema import setting
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError, write_lines
from lora.records.labels import LabelFacts
from lora.records.transcripts import Transcript
from lora.runners.options import add_decode_arguments, add_model_arguments, exact_device_of, model_of
from lora.runners.usable_rows import training_rows

AUDIT_BATCH = 16  # teacher-forced logits of a whole batch are in memory at once


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="manifest to train on")
    add_setting(parser, "labels.sample")
    add_setting(parser, "labels.seed")
    parser.add_argument(
        "--train-settings",
        type=parse_object,
        action="append",
        default=[],
        metavar="JSON",
        help="""settings of a training that change its loss, such as '{"gradient_accumulation": 2,
        "label_smoothing": 0.1}'; repeat the option to compare the loss with each""",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="JSON")
    parser.add_argument("--hypotheses", type=Path, metavar="JSONL", help="greedy hypotheses of the sample")
    add_model_arguments(parser)
    add_decode_arguments(parser)


def execute(args: argparse.Namespace) -> int:
    outputs = [args.output, *([args.hypotheses] if args.hypotheses else [])]
    with recording(outputs, seed=args.seed) as run:
        audit(args, run)
    return 0


def audit(args: argparse.Namespace, run: Recording) -> None:
    """Audit a sample of the labels, or copy the results if the same audit was done before, and write them."""
    device = exact_device_of(args)
    files = model_of(args)
    steps = [_loss_settings(settings) for settings in args.train_settings]
    part = training_rows(args.dataset_path, run)
    if not part.rows:
        message = f"{args.dataset_path}: no row to audit"
        run.adjust(message)
        _write(args, LabelFacts(status="impossible", code="data.too_few_samples", message=message), [])
        return
    measurement = Measurement(
        command="audit",
        files=files,
        device=device,
        rows=replace(part, rows=sample_rows(part.rows, args.sample, args.seed)),
        target_rms=args.target_rms,
        decode=args.decode,
        batch_size=min(args.batch_size, AUDIT_BATCH),
        others={"losses": steps},
    )
    outputs = {"labels.json": args.output} | ({"hypotheses.jsonl": args.hypotheses} if args.hypotheses else {})
    record_device(device, run)
    copy_or_measure(measurement.folder(args.work_dir), outputs, run, lambda: _measure(args, measurement, run))


def _measure(args: argparse.Namespace, measurement: Measurement, run: Recording) -> bool:
    """Audit the sample with the model; whether that was done on the intended device."""
    from lora.asr.labels.audit import audit_labels
    from lora.asr.model_loading import load_model

    files = measurement.files
    device = confirm_device(measurement.device)
    record_device(device, run)
    rows = SpeechRows(measurement.rows.rows, measurement.rows.folder, files.sampling_rate, args.target_rms)
    make_deterministic(args.seed, device.threads)
    speech = load_model(files, device.type, device.dtype)
    hypotheses: list[Transcript] = []

    def attempt(size: int) -> LabelFacts:
        """Audit everything with one batch size: generation and likelihoods are compared, and both depend on it."""
        hypotheses.clear()
        return audit_labels(speech, rows, size, args.decode, measurement.others["losses"], hypotheses.extend)

    facts = retry_with_smaller_batches(measurement.batch_size, run.adjust, attempt)
    run.count(decoded=len(rows))
    _write(args, facts, hypotheses)
    return device == measurement.device


def _write(args: argparse.Namespace, facts: LabelFacts, hypotheses: list[Transcript]) -> None:
    facts.write(args.output)
    if args.hypotheses:
        write_lines(args.hypotheses, hypotheses)


def _loss_settings(given: dict[str, Any]) -> tuple[float, int]:
    """Label smoothing and gradient accumulation. Raises UserError for other keys or values."""
    known = {key: setting(f"train.{key}").default for key in ("label_smoothing", "gradient_accumulation")}
    values = known | given
    smoothing = values["label_smoothing"]
    accumulation = values["gradient_accumulation"]
    right = type(smoothing) in {int, float} and 0 <= smoothing < 1 and type(accumulation) is int and accumulation > 0
    if not right or set(given) - set(known):
        raise UserError(
            f"--train-settings is {json.dumps(given)}; expected label_smoothing (0 to below 1) and "
            "gradient_accumulation (1, 2, ...)"
        )
    return float(smoothing), accumulation
