"""Train a LoRA adapter for a few steps: best and last adapter, training facts, loss log.

Example:
    python -m lora.runners.experiment train --run short --model-id data/model \\
        --dataset-path results/splits/train.jsonl --validation-path results/splits/val.jsonl \\
        --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir results/adapters/short

Reads: the manifests and their audio, model files, `<work-dir>/train/`. Writes: `<output-dir>/best/` and `last/`
(adapter_config.json, adapter_model.safetensors, lora_provenance.json), `train.json`, `loss.tsv`, `train.run.json`,
`experiment.json` (`<work-dir>/experiments/` for an attempt that did not finish), and `<work-dir>/train/`, from which a
killed training resumes and a finished one is copied without importing torch. With `--eval-rows` also `evaluations.tsv`
and `in_run/<manifest>.jsonl`. `--report-to` sends losses to trackers.
No training row, targets that match no module and a loss that is not finite are facts with a cause code, not errors.
"""

from __future__ import annotations

import argparse
import functools
from dataclasses import replace
from pathlib import Path
from typing import Any

from lora.asr.adapter.files import CONFIG, PROVENANCE, WEIGHTS
from lora.asr.decoding.audio_store import Rows
from lora.asr.devices import record_device, training_device
from lora.asr.training.data import evaluated_rows, share_of_rows
from lora.asr.training.file_names import BEST, EVALUATIONS, FACTS, IN_RUN, LAST, LOSS
from lora.asr.training.state import Training
from lora.asr.training.train import Outcome, train_adapter
from lora.configuration.arguments import add_setting
from lora.configuration.consistency import replay_problem
from lora.configuration.schema import setting
from lora.configuration.study import TrainConfig
from lora.provenance.recording import Recording, recording
from lora.records.base import UserError
from lora.runners.experiment_record import experiment
from lora.runners.options import add_model_arguments, by_name, device_of, model_of, named_path
from lora.runners.usable_rows import evaluation_rows, training_rows

SETTINGS = tuple(TrainConfig.model_fields)  # each is an option with hyphens
DESTINATIONS = {"batch_size": "train_batch_size"}  # `batch_size` is that of a transcription
ELSEWHERE = {
    "--max-seconds": "`train` trains on every row of --dataset-path; `run` filters by duration and splits",
}
# Options of `run` that name an evaluation manifest, and the names that it gives them.
MANIFEST_OPTIONS = {"--manifest-path": "evaluation", "--safety-manifest-path": "safety"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the candidate")
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="manifest to train on")
    parser.add_argument("--validation-path", type=Path, required=True, metavar="PATH", help="manifest to validate on")
    add_replay_argument(parser)
    parser.add_argument(
        "--manifest",
        type=named_path,
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="evaluation manifest that --eval-rows transcribes; repeat for more",
    )
    for option, name in MANIFEST_OPTIONS.items():
        parser.add_argument(
            option,
            dest="manifest",
            type=functools.partial(_named, name),
            action="append",
            metavar="PATH",
            help=f"the same as --manifest {name}=PATH",
        )
    add_setting(parser, "split.seed", flag="--split-seed", dest="split_seed")
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    add_training_arguments(parser)
    add_model_arguments(parser)
    add_processes_argument(parser)


def _named(name: str, text: str) -> tuple[str, Path]:
    return name, Path(text)


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an option for every training setting of the configuration."""
    group = parser.add_argument_group("training")
    for key in SETTINGS:
        add_setting(group, f"train.{key}", dest=DESTINATIONS.get(key))


def add_replay_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--replay-path", type=Path, metavar="PATH", help="manifest that --replay-share draws rows from")


def add_processes_argument(parser: argparse.ArgumentParser) -> None:
    add_setting(parser, "model.processes")


def execute(args: argparse.Namespace) -> int:
    outputs = [args.output_dir / name for name in (FACTS, LOSS, BEST, LAST)]
    if args.eval_rows:
        outputs += [args.output_dir / name for name in (EVALUATIONS, IN_RUN)]
    adapters = [args.output_dir / folder / name for folder in (BEST, LAST) for name in (CONFIG, WEIGHTS, PROVENANCE)]
    record = args.output_dir / "train.run.json"
    with recording(outputs, seed=args.seed, record_path=record, within=adapters) as run:
        train(args, run)
    return 0


def train(args: argparse.Namespace, run: Recording) -> Outcome:
    """Train with the given settings and write all outputs to `--output-dir`."""
    settings = settings_of(args)
    check_settings(settings, args.replay_path)
    if settings["eval_rows"] and not args.manifest:
        raise UserError(
            f"--eval-rows is {settings['eval_rows']}: it needs --manifest NAME=PATH, a manifest to transcribe"
        )
    if args.manifest and not settings["eval_rows"]:
        raise UserError(
            f"--manifest {args.manifest[0][0]}={args.manifest[0][1]}: it needs --eval-rows N, the rows of it to "
            "transcribe at every validation"
        )
    report_to = settings.pop("report_to")  # changes no result
    split = training_rows(args.dataset_path, run)
    device = training_device(device_of(args), settings["init_lora_weights"], settings["bias"])
    training = Training(
        run=args.run,
        settings=settings,
        files=model_of(args),
        device=device,
        target_rms=args.target_rms,
        train=replace(split, rows=share_of_rows(split.rows, settings["data_share"], args.split_seed)),
        validation=training_rows(args.validation_path, run),
        processes=args.processes,
        available_rows=len(split.rows),
        replay=training_rows(args.replay_path, run) if settings["replay_share"] else None,
        evaluated=_evaluated(args, run) if settings["eval_rows"] else {},
        report_to=report_to,
    )
    data = {"train": args.dataset_path, "validation": args.validation_path}
    if settings["replay_share"]:
        data["replay"] = args.replay_path
    with experiment(training, data, args.output_dir, args.work_dir, run) as attempt:
        attempt.outcome = outcome = train_adapter(training, args.output_dir, args.work_dir)
        record_device(outcome.device, run)
        for text in outcome.adjustments:
            run.adjust(text)
        run.count(decoded=outcome.decoded, optimizer_steps=outcome.steps_taken)
        if outcome.facts.status == "impossible":
            run.adjust(f"run {args.run}: {outcome.facts.code}: {outcome.facts.message}")
    return outcome


def _evaluated(args: argparse.Namespace, run: Recording) -> dict[str, Rows]:
    """The rows of every evaluation manifest that validations transcribe."""
    manifests = {name: evaluation_rows(name, path, run) for name, path in by_name(args.manifest, "--manifest").items()}
    return {name: replace(rows, rows=evaluated_rows(rows.rows, args.eval_rows)) for name, rows in manifests.items()}


def check_settings(settings: dict[str, Any], replay_path: Path | None) -> None:
    """Check what no single option can. Raises UserError."""
    if settings["replay_share"] and replay_path is None:
        raise UserError(
            f"--replay-share is {settings['replay_share']:g}: it needs --replay-path, a manifest to draw from"
        )
    every_group = setting("train.target_parts").default
    if settings["target_modules"] != "auto" and set(settings["target_parts"]) != set(every_group):
        raise UserError(
            "--target-parts goes with `--target-modules auto`, and --target-modules is "
            f"{settings['target_modules']!r}. Remove one of them."
        )
    problem = replay_problem(settings)
    if problem is not None:
        raise UserError(problem)


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """The training settings alone, by their keys in the configuration."""
    return {name: getattr(args, DESTINATIONS.get(name, name)) for name in SETTINGS}
