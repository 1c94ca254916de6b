"""Train a LoRA adapter for a few steps: best and last adapter, training facts, loss log.

Example:
    python -m lora.runners.experiment train --run short --model-id data/model \\
        --dataset-path results/splits/train.jsonl --validation-path results/splits/val.jsonl \\
        --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir results/adapters/short

Reads: both manifests and their audio, model files, `<work-dir>/train/`. Writes: `<output-dir>/best/` and `last/`
(adapter_config.json, adapter_model.safetensors, lora_provenance.json), `train.json`, `loss.tsv`, `train.run.json`, and
`<work-dir>/train/`, from which a killed training resumes and a finished one is copied without importing torch.
No training row, targets that match no module and a loss that is not finite are facts with a cause code, not errors.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import training_device
from lora.asr.training.state import BEST, FACTS, LAST, LOSS, Training
from lora.asr.training.train import Outcome, train_adapter
from lora.configuration.arguments import add_setting
from lora.configuration.schema import setting
from lora.configuration.study import TrainConfig
from lora.data.manifest import read_manifest
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError
from lora.runners.options import add_model_arguments, device_of, model_of

SETTINGS = tuple(TrainConfig.model_fields)  # each is an option with hyphens


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the candidate")
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="manifest to train on")
    parser.add_argument("--validation-path", type=Path, required=True, metavar="PATH", help="manifest to validate on")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    add_training_arguments(parser)
    add_model_arguments(parser)
    add_processes_argument(parser)


def add_training_arguments(parser: argparse.ArgumentParser, batch_flag: str = "--batch-size") -> None:
    """Add an option for every training setting of the configuration.

    Args:
        parser: Parser that gets the options.
        batch_flag: Another name for `--batch-size`, where that is the batch size of transcription.
    """
    group = parser.add_argument_group("training")
    for key in SETTINGS:
        if key == "batch_size":
            add_setting(group, "train.batch_size", flag=batch_flag, dest="train_batch_size")
        else:
            add_setting(group, f"train.{key}")


def add_processes_argument(parser: argparse.ArgumentParser) -> None:
    add_setting(parser, "model.processes")


def execute(args: argparse.Namespace) -> int:
    outputs = [args.output_dir / name for name in (FACTS, LOSS, BEST, LAST)]
    with recording(outputs, seed=args.seed, record_path=args.output_dir / "train.run.json") as run:
        train(args, run)
    return 0


def train(args: argparse.Namespace, run: Recording) -> Outcome:
    """Train with the given settings and write all outputs to `--output-dir`."""
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
    """Check what no single option can. Raises UserError."""
    every_group = setting("train.target_parts").default
    if settings["target_modules"] != "auto" and set(settings["target_parts"]) != set(every_group):
        raise UserError(
            "--target-parts goes with `--target-modules auto`, and --target-modules is "
            f"{settings['target_modules']!r}. Remove one of them."
        )


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """The training settings alone, by their keys in the configuration."""
    return {name: getattr(args, "train_batch_size" if name == "batch_size" else name) for name in SETTINGS}


def read_rows(path: Path, run: Recording) -> Rows:
    """Read the usable rows, which may be none (a cause of its own), and report the rejected ones."""
    manifest = read_manifest(path)
    for rejected in manifest.rejected:
        run.adjust(f"{path}:{rejected.line}: left out: {rejected.reason}")
    return Rows(manifest.rows, manifest.folder)
