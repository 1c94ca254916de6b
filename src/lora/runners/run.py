"""Run the whole diagnosis from flags: write a study folder with its configuration, and run the workflow on it.

Example:
    python -m lora.runners.experiment run --model-id data/model --dataset-path data/train_manifest.jsonl \\
        --manifest-path data/domain_manifest.jsonl --safety-manifest-path data/heldout_manifest.jsonl \\
        --max-seconds 10 --max-steps 100 --learning-rate 1e-3 --seed 13 --output-dir studies/by-hand

Settings without a flag have the default of the configuration schema.
Reads: the manifests and their audio, model files.
Writes: `<output-dir>/config.yaml`, and what the workflow writes for any study: `results/` (manifests evaluation and
safety, runs base and tuned), `work/`, `docs/experiment_plan.md`, `notes.md`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from lora import layout
from lora.asr.decoding.transcribe import BATCH_SIZE
from lora.configuration.loading import load_configuration
from lora.formatting import outcome_words, percent, points_range, signed_points
from lora.provenance.child import signals_passed_on
from lora.records.base import UserError, write_text
from lora.results import read_result
from lora.runners.options import add_decode_arguments, add_model_arguments, positive_number
from lora.runners.train import (
    add_processes_argument,
    add_replay_argument,
    add_training_arguments,
    check_settings,
    settings_of,
)
from lora.tool_folder import tool_folder

TRAIN, EVALUATION, SAFETY, TUNED = "train", "evaluation", "safety", "tuned"
HEADER = (
    "# Written by `python -m lora.runners.experiment run`, which replaces it when it is run again on this folder.\n"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dataset-path", type=Path, required=True, metavar="PATH", help="training manifest")
    parser.add_argument(
        "--manifest-path", type=Path, required=True, metavar="PATH", help="evaluation manifest (domain)"
    )
    parser.add_argument(
        "--safety-manifest-path", type=Path, metavar="PATH", help="general manifest, which can show forgetting"
    )
    parser.add_argument(
        "--max-seconds", type=_auto_or_seconds, default="auto", metavar="S|auto", help="longest training row"
    )
    parser.add_argument("--output-dir", type=Path, required=True, metavar="DIR", help="study folder")
    parser.add_argument("--cores", default="all", metavar="N", help="cores for the workflow; default: all")
    add_model_arguments(parser)
    add_decode_arguments(parser, batch_flag="--decode-batch-size")
    add_training_arguments(parser)
    add_replay_argument(parser)
    add_processes_argument(parser)


def execute(args: argparse.Namespace) -> int:
    config = configuration(args)
    args.output_dir.mkdir(parents=True, exist_ok=True)
    load_configuration(config, None, args.output_dir)  # mistakes are reported before anything is written
    write_study(args.output_dir, config, args.work_dir)
    command = [sys.executable, "-P", "-m", "snakemake", "-s", str(tool_folder() / "Snakefile"), "--cores", args.cores]
    command += ["--directory", str(args.output_dir), "--configfile", str(args.output_dir / "config.yaml")]
    if _run_workflow(command) != 0:
        raise UserError(f"the workflow failed; the logs of its jobs are in {args.output_dir / 'work/logs'}")
    print(result_table(args.output_dir / "results", [*config["roles"]["general"], *config["roles"]["domain"]]))
    return 0


def _run_workflow(command: list[str]) -> int:
    """Run Snakemake and return its exit code."""
    # Progress goes to stderr, so that stdout is the result alone.
    with (
        subprocess.Popen(command, stdout=sys.__stderr__, text=True) as workflow,
        signals_passed_on(workflow, "the workflow"),
    ):
        return workflow.wait()


def configuration(args: argparse.Namespace) -> dict[str, Any]:
    """Build the config.yaml of the study. Paths are relative to the study folder."""
    study = args.output_dir.resolve()

    def relative(path: Path | str) -> str:
        return os.path.relpath(Path(path).absolute(), study)

    check_settings(settings_of(args), args.replay_path)
    paths = {
        TRAIN: args.dataset_path,
        EVALUATION: args.manifest_path,
        SAFETY: args.safety_manifest_path,
        layout.REPLAY: args.replay_path,
    }
    for path in paths.values():
        if path is not None and not path.exists():
            raise UserError(f"no such file or folder: {path}")
    model = {
        "id": relative(args.model_id) if Path(args.model_id).is_dir() else args.model_id,
        "revision": args.revision,
        "language": args.language,
        "prompt": args.prompt,
        "device": args.device,
        "dtype": args.dtype,
        "cpu_threads": args.cpu_threads,
        "processes": args.processes,
        "batch_size": None if args.batch_size == BATCH_SIZE else args.batch_size,
        "batch_seconds": args.batch_seconds,
    }
    return {
        "model": model,
        "manifests": {name: relative(path) for name, path in paths.items() if path is not None},
        "roles": {"general": [SAFETY] if args.safety_manifest_path else [], "domain": [EVALUATION]},
        "durations": {"max_seconds": args.max_seconds},
        "split": {"seed": args.seed},
        "preprocess": {"target_rms": args.target_rms},
        "decode": args.decode,
        "candidates": {TUNED: {"train": settings_of(args)}},
    }


def write_study(folder: Path, config: dict[str, Any], work_dir: Path) -> None:
    """Write config.yaml, and link `work/` to another folder for caches if one is named.

    Raises:
        UserError: If the folder has a config.yaml that this command did not write, or another `work`.
    """
    path = folder / "config.yaml"
    if path.exists() and not path.read_text(encoding="utf-8").startswith(HEADER):
        raise UserError(f"--output-dir {folder}: it has a config.yaml of its own; name another folder")
    work = folder / "work"
    own_work = work_dir == Path("work")
    if not own_work and (work.exists() or work.is_symlink()) and work.resolve() != work_dir.resolve():
        raise UserError(f"--work-dir {work_dir}: {work} exists already; leave out --work-dir or remove that folder")
    write_text(path, HEADER + yaml.safe_dump(config, sort_keys=False, allow_unicode=True))
    if not own_work:
        work_dir.mkdir(parents=True, exist_ok=True)
        if not work.exists():
            work.symlink_to(work_dir.resolve())


def result_table(results: Path, manifests: list[str]) -> str:
    """One line per manifest with the WER before and after, and the verdict."""
    lines = ["WER on rows within max_seconds:"]
    lines.append(f"{'manifest':<12}{'base WER':>10}{'tuned WER':>11}{'difference':>16}{'interval':>18}  outcome")
    for name in manifests:
        facts = read_result(results, layout.PAIRED, run=TUNED, manifest=name).readable()
        score = facts.within if facts else None
        if score is None:
            reason = f"{facts.code}: {facts.message}" if facts else "not computed"
            lines.append(f"{name:<12}impossible: {reason}")
            continue
        interval = points_range(score.interval.low, score.interval.high)
        lines.append(
            f"{name:<12}{percent(score.baseline_wer):>10}{percent(score.tuned_wer):>11}"
            f"{signed_points(score.delta):>16}{interval:>18}  {outcome_words(score.outcome)}"
        )
    verdict = read_result(results, layout.VERDICT).readable()
    ready = {True: "ready for the sweep", False: "not ready for the sweep", None: "no verdict"}
    causes = [cause.code for cause in verdict.causes] if verdict else []
    lines.append(
        f"verdict: {ready[verdict.ready_for_sweep if verdict else None]}; {', '.join(causes) or 'no cause found'}"
    )
    return "\n".join([*lines, f"read next: {results / layout.REPORT.path()}"])


def _auto_or_seconds(text: str) -> float | str:
    return text if text == "auto" else positive_number(text)
