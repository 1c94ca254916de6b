"""Train a LoRA adapter for a few steps: best and last adapter, training facts, loss log.

Example:
    python -m lora.runners.experiment train --run short --model-id data/model \\
        --dataset-path results/splits/train.jsonl --validation-path results/splits/val.jsonl \\
        --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir results/adapters/short

Reads: both manifests and their audio, model files, `<work-dir>/train/`. Writes: `<output-dir>/best/` and `last/`
(adapter_config.json, adapter_model.safetensors, lora_provenance.json), `train.json`, `loss.tsv`, `train.run.json`, and
`<work-dir>/train/`, from which a killed training goes on and a finished one is copied without importing torch.
No training row, targets that match nothing and a loss that is not finite are facts with a cause code, not errors.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lora.asr.adapter.choices import BIASES, INITIALISATION, PARTS
from lora.asr.decoding.transcribe import Rows
from lora.asr.devices import training_device
from lora.asr.training.state import BEST, FACTS, LAST, LOSS, Training
from lora.asr.training.train import Outcome, train_adapter
from lora.data.manifest import read_manifest
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError
from lora.runners.options import (
    add_model_arguments,
    device_of,
    json_object,
    model_of,
    positive,
    positive_number,
)

SCHEDULERS = ("linear", "cosine", "constant", "constant_with_warmup")
SETTINGS = (
    "max_steps", "learning_rate", "scheduler", "warmup_steps", "weight_decay", "batch_size", "gradient_accumulation",
    "label_smoothing", "seed", "rank", "alpha", "dropout", "target_modules", "target_parts", "modules_to_save", "bias",
    "use_dora", "use_rslora", "init_lora_weights", "eval_steps", "select", "eval_decode",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the candidate")
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="manifest to train on")
    parser.add_argument("--validation-path", type=Path, required=True, metavar="PATH", help="manifest to validate on")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    add_training_arguments(parser)
    add_model_arguments(parser)
    add_processes_argument(parser)


def add_training_arguments(parser: argparse.ArgumentParser, batch_flag: str = "--batch-size") -> None:
    """`batch_flag` is another name where `--batch-size` is already the one of transcription."""
    group = parser.add_argument_group("training")
    group.add_argument("--max-steps", type=positive, default=100, metavar="N", help="optimiser steps; default: 100")
    group.add_argument("--learning-rate", type=not_negative, default=1e-3, metavar="F", help="peak; default: 1e-3")
    group.add_argument("--scheduler", choices=SCHEDULERS, default="linear", help="default: %(default)s")
    group.add_argument("--warmup-steps", type=whole, default=10, metavar="N", help="default: %(default)s")
    group.add_argument("--weight-decay", type=not_negative, default=0.0, metavar="F", help="default: %(default)s")
    group.add_argument(
        batch_flag, dest="train_batch_size", type=positive, default=8, metavar="N", help="default: %(default)s"
    )
    group.add_argument("--gradient-accumulation", type=positive, default=1, metavar="N", help="default: %(default)s")
    group.add_argument("--label-smoothing", type=share, default=0.0, metavar="F", help="default: %(default)s")
    group.add_argument("--seed", type=whole, default=13, metavar="N", help="default: %(default)s")
    group.add_argument("--rank", type=positive, default=8, metavar="N", help="LoRA rank; default: %(default)s")
    group.add_argument("--alpha", type=positive_number, default=16.0, metavar="F", help="scale is alpha / rank")
    group.add_argument("--dropout", type=share, default=0.0, metavar="F", help="LoRA dropout; default: %(default)s")
    group.add_argument(
        "--target-modules",
        default="auto",
        metavar="WHICH",
        help="auto (attention and MLP), all-linear, name endings with commas, or a regular expression",
    )
    group.add_argument(
        "--target-parts",
        type=parts,
        default=list(PARTS),
        metavar="LIST",
        help="parts of the model that --target-modules auto adapts, with commas; default: all of " + ",".join(PARTS),
    )
    group.add_argument(
        "--modules-to-save", type=names, default=[], metavar="LIST", help="name endings of modules to train whole"
    )
    group.add_argument("--bias", choices=BIASES, default="none", help="biases to train; default: %(default)s")
    group.add_argument("--use-dora", action="store_true", help="weight-decomposed LoRA")
    group.add_argument("--use-rslora", action="store_true", help="scale by alpha / sqrt(rank)")
    group.add_argument(
        "--init-lora-weights",
        type=initialisation,
        default="true",
        metavar="HOW",
        help="true, false, gaussian, olora, pissa or pissa_niter_N (fast); default: %(default)s",
    )
    group.add_argument("--eval-steps", type=positive, default=20, metavar="N", help="steps between validations")
    group.add_argument("--select", choices=("loss", "wer"), default="loss", help="what the best step is best by")
    group.add_argument(
        "--eval-decode",
        type=json_object,
        default={"do_sample": False, "num_beams": 1},
        metavar="JSON",
        help="generation arguments of validation WER; default: greedy",
    )


def add_processes_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--processes",
        type=positive,
        default=1,
        metavar="N",
        help="processes (and GPUs) of the training; each takes --batch-size utterances a step; default: 1",
    )


def execute(args: argparse.Namespace) -> int:
    outputs = [args.output_dir / name for name in (FACTS, LOSS, BEST, LAST)]
    with recording(outputs, seed=args.seed, record_path=args.output_dir / "train.run.json") as run:
        train(args, run)
    return 0


def train(args: argparse.Namespace, run: Recording) -> Outcome:
    """Train as the arguments say and write all outputs of `--output-dir`."""
    settings = settings_of(args)
    check_settings(settings)
    device = training_device(device_of(args), settings["init_lora_weights"], settings["bias"])
    training = Training(
        run=args.run,
        settings=settings,
        files=model_of(args),
        device=device,
        target_rms=args.target_rms,
        train=read_rows(args.dataset_path, run),
        validation=read_rows(args.validation_path, run),
        processes=args.processes,
    )
    outcome = train_adapter(training, args.output_dir, args.work_dir)
    for text in outcome.device.fallbacks:
        run.fallback(text)
    for text in outcome.adjustments:
        run.adjust(text)
    run.device(outcome.device.type, outcome.device.dtype)
    run.count(optimizer_steps=outcome.steps_taken)
    if outcome.facts.status == "impossible":
        run.adjust(f"run {args.run}: {outcome.facts.code}: {outcome.facts.message}")
    return outcome


def check_settings(settings: dict[str, Any]) -> None:
    """What no flag can tell by itself. Raises UserError."""
    if settings["target_modules"] != "auto" and set(settings["target_parts"]) != set(PARTS):
        told = f"{settings['target_modules']!r} says itself what is adapted"
        raise UserError(f"target_parts goes with target_modules auto, and {told}")


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """The training settings alone: keys are flags with underscores, as in the configuration."""
    return {name: getattr(args, "train_batch_size" if name == "batch_size" else name) for name in SETTINGS}


def read_rows(path: Path, run: Recording) -> Rows:
    """Usable rows, none included (a cause of its own); rejected ones are told of."""
    manifest = read_manifest(path)
    for rejected in manifest.rejected:
        run.adjust(f"{path}:{rejected.line}: left out: {rejected.reason}")
    return Rows(manifest.rows, manifest.folder)


def not_negative(text: str) -> float:
    return 0.0 if _number(text) == 0 else positive_number(text)


def share(text: str) -> float:
    value = _number(text)
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to less than 1")
    return value


def names(text: str) -> list[str]:
    """Names with commas, sorted, each once."""
    return sorted({name.strip() for name in text.split(",")} - {""})


def parts(text: str) -> list[str]:
    """Parts of a model, in their own order."""
    given = names(text)
    unknown = [name for name in given if name not in PARTS]
    if unknown or not given:
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(PARTS)}")
    return [part for part in PARTS if part in given]


def initialisation(text: str) -> str:
    if INITIALISATION.fullmatch(text.lower()) is None:
        known = "true, false, gaussian, olora, pissa, pissa_niter_N"
        raise argparse.ArgumentTypeError(f"{text!r} is none of {known} (others of peft need data)")
    return text.lower()


def whole(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
