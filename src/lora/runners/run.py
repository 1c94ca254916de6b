"""Baseline, training, tuned run and comparison on somebody's own files, in one go, without Snakemake.

Example:
    python -m lora.runners.experiment run --model-id data/model --dataset-path data/train_manifest.jsonl \\
        --manifest-path data/domain_manifest.jsonl --safety-manifest-path data/heldout_manifest.jsonl \\
        --max-seconds 10 --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir results/by-hand

Every step is a command of this project that could be typed by itself; it stands in the log and in the run record beside
what it made. All settings that have no flag here have the default of the configuration schema.
Reads: the manifests and their audio, model files, `<work-dir>/`. Writes: under `--output-dir` the files a study has
under `results/` (manifests evaluation and safety, runs base and tuned), up to verdict.json and summary.md;
`<work-dir>/`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from lora.configuration.loading import load_configuration
from lora.data.formats.registry import contains_audio
from lora.data.source import Source
from lora.formatting import percent, points_range, signed_points
from lora.provenance.recording import recording
from lora.records.comparisons import PairedFacts
from lora.records.verdict import Verdict
from lora.runners.options import add_decode_arguments, add_model_arguments, positive_number
from lora.runners.steps import StepFailed, Steps
from lora.runners.study_steps import (
    BASE,
    TRAIN,
    compare,
    compare_training,
    conclude,
    evaluations,
    filter_training,
    match_texts,
    record_config,
    score,
    tabulate_durations,
)
from lora.runners.train import add_processes_argument, add_training_arguments, settings_of

EVALUATION, SAFETY, TUNED = "evaluation", "safety", "tuned"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="training manifest")
    parser.add_argument(
        "--manifest-path", type=Path, required=True, metavar="PATH", help="evaluation manifest (domain)"
    )
    parser.add_argument(
        "--safety-manifest-path", type=Path, metavar="PATH", help="general manifest: is anything forgotten?"
    )
    parser.add_argument(
        "--max-seconds",
        type=auto_or_seconds,
        default="auto",
        metavar="S|auto",
        help="longest training row; default: auto",
    )
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR")
    add_model_arguments(parser)
    add_decode_arguments(parser)
    add_training_arguments(parser, batch_flag="--train-batch-size")
    add_processes_argument(parser)


def execute(args: argparse.Namespace) -> int:
    config = configuration(args)
    steps = Steps(args.output_dir)
    try:
        with recording([args.output_dir / "verdict.json"], args.seed, args.output_dir / "run.run.json"):
            _prepare_rows(steps, config)
            _run_model(steps, config, args)
            compare(steps, config, TUNED)
            conclude(steps)
    except StepFailed as failed:
        return failed.code
    print(table(args.output_dir, list(evaluations(config))))
    return 0


def configuration(args: argparse.Namespace) -> dict[str, Any]:
    """What a study's config.yaml would say, complete. Raises UserError for files that do not exist."""
    manifests = {TRAIN: args.dataset_path, EVALUATION: args.manifest_path, SAFETY: args.safety_manifest_path}
    given = {
        "model": {"id": args.model_id, "revision": args.revision, "language": args.language, "prompt": args.prompt,
                  "device": args.device, "dtype": args.dtype, "cpu_threads": args.cpu_threads,
                  "processes": args.processes},
        "manifests": {name: str(path) for name, path in manifests.items() if path is not None},
        "roles": {"general": [SAFETY] if args.safety_manifest_path else [], "domain": [EVALUATION]},
        "durations": {"max_seconds": args.max_seconds},
        "split": {"seed": args.seed},
        "preprocess": {"target_rms": args.target_rms},
        "decode": args.decode,
        "candidates": {TUNED: {"train": settings_of(args)}},
    }  # fmt: skip
    return load_configuration(given, None, Path.cwd())


def _prepare_rows(steps: Steps, config: dict[str, Any]) -> None:
    record_config(steps, config)
    for name, value in config["manifests"].items():
        source = Source.from_config(value)
        rows = steps.at(f"manifests/{name}.jsonl")
        rejected = steps.at(f"manifests/{name}.rejected.tsv")
        measures = steps.at(f"integrity/{name}.tsv")
        manifest = source.flags()
        if contains_audio(source):
            unpacked = steps.at(f"audio/{name}")
            steps.script("unpack_audio", *manifest, "--output-dir", unpacked)
            manifest += ["--unpacked", unpacked]
        steps.script("inspect_audio", *manifest, "--measures", measures)
        steps.script(
            "validate_manifest", *manifest, "--measures", measures, "--rows", rows, "--rejected", rejected,
            "--facts", steps.at(f"manifests/{name}.facts.json"),
        )  # fmt: skip
    tabulate_durations(steps, config, list(config["manifests"]))
    for name in evaluations(config):
        compare_training(steps, name, f"integrity/{TRAIN}.tsv", f"integrity/{name}.tsv")
    filter_training(steps, config)


def _run_model(steps: Steps, config: dict[str, Any], args: argparse.Namespace) -> None:
    model = ["--model-id", args.model_id]
    for key in ("revision", "language", "prompt"):
        model += [f"--{key}", config["model"][key]] if config["model"][key] else []
    model += ["--device", args.device, "--dtype", args.dtype, "--cpu-threads", args.cpu_threads]
    model += ["--target-rms", "none" if args.target_rms is None else args.target_rms, "--work-dir", args.work_dir]
    decode = ["--decode", json.dumps(config["decode"], sort_keys=True)]
    batch = ["--batch-size", args.batch_size]
    batch += ["--batch-seconds", args.batch_seconds] if args.batch_seconds else []
    manifests = [f"--manifest={name}={steps.at(f'manifests/{name}.jsonl')}" for name in evaluations(config)]

    def transcribe(run: str, *more: object) -> None:
        output = steps.at(f"transcripts/{run}")
        steps.model("transcribe", "--run", run, *model, *decode, *batch, *manifests, *more, "--output-dir", output)

    train, val = steps.at("splits/train.jsonl"), steps.at("splits/val.jsonl")
    transcribe(BASE)
    steps.model(
        "audit", *model, *decode, "--dataset-path", train, "--sample", config["labels"]["sample"],
        "--train-settings", _loss_settings(args), "--seed", args.seed, "--output", steps.at("labels.json"),
        "--hypotheses", steps.at("labels.hypotheses.jsonl"),
    )  # fmt: skip
    heard = {name: steps.at(f"transcripts/{BASE}/{name}.jsonl") for name in evaluations(config)}
    for name, transcripts in {TRAIN: steps.at("labels.hypotheses.jsonl"), **heard}.items():
        match_texts(steps, name, transcripts, f"mismatches/{name}.json")
    steps.model(
        "train", "--run", TUNED, *model, *training_flags(settings_of(args)), "--dataset-path", train,
        "--validation-path", val, "--processes", args.processes, "--output-dir", steps.at(f"adapters/{TUNED}"),
    )  # fmt: skip
    adapter = ["--adapter", steps.at(f"adapters/{TUNED}/best")]
    adapter += ["--train-facts", steps.at(f"adapters/{TUNED}/train.json")]
    transcribe(TUNED, *adapter)
    steps.model(
        "effect", "--run", TUNED, *model, *adapter, *decode, "--dataset-path", val,
        "--sample", config["adapter"]["sample"], "--output", steps.at(f"effect/{TUNED}.json"),
    )  # fmt: skip
    for run in (BASE, TUNED):
        for name in evaluations(config):
            score(steps, config, run, name)
    steps.model(
        "harden", *model, *decode, "--manifest", f"{EVALUATION}={steps.at(f'manifests/{EVALUATION}.jsonl')}",
        "--baseline-wer", f"{EVALUATION}={steps.at(f'wer/{BASE}/{EVALUATION}.json')}",
        "--min-wer", config["headroom"]["min_wer"], "--max-wer", config["headroom"]["max_wer"],
        "--output", steps.at("hardened.json"),
    )  # fmt: skip


def _loss_settings(args: argparse.Namespace) -> str:
    """What the training sets that bears on its loss, in JSON."""
    settings = settings_of(args)
    return json.dumps({key: settings[key] for key in ("gradient_accumulation", "label_smoothing")})


def training_flags(settings: dict[str, Any]) -> list[str]:
    """Training settings as flags of the train subcommand; what is false or empty is left out."""
    flags = []
    for key, value in settings.items():
        if value is False or value == []:
            continue
        flags.append(f"--{key}".replace("_", "-"))
        if isinstance(value, dict):
            flags.append(json.dumps(value, sort_keys=True))
        elif value is not True:
            flags.append(",".join(value) if isinstance(value, list) else str(value))
    return flags


def table(folder: Path, names: list[str]) -> str:
    """One line per manifest with the WER of both runs on rows within max_seconds, and the verdict."""
    lines = ["WER on rows within max_seconds:"]
    lines.append(f"{'manifest':<12}{'base WER':>10}{'tuned WER':>11}{'difference':>15}{'interval':>18}  outcome")
    for name in names:
        facts = PairedFacts.read(folder / f"paired/{TUNED}/{name}.json")
        score = facts.within
        if score is None:
            lines.append(f"{name:<12}impossible: {facts.code}: {facts.message}")
            continue
        interval = points_range(score.interval.low, score.interval.high)
        lines.append(
            f"{name:<12}{percent(score.baseline_wer):>10}{percent(score.tuned_wer):>11}"
            f"{signed_points(score.delta):>15}{interval:>18}  {score.outcome}"
        )
    verdict = Verdict.read(folder / "verdict.json")
    ready = {True: "ready for the sweep", False: "not ready for the sweep", None: "no verdict"}[verdict.ready_for_sweep]
    lines.append(f"verdict: {ready}; " + (", ".join(cause.code for cause in verdict.causes) or "no cause found"))
    return "\n".join([*lines, f"read next: {folder / 'summary.md'}"])


def auto_or_seconds(text: str) -> float | str:
    return text if text == "auto" else positive_number(text)
