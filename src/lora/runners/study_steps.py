"""The steps of a diagnosis that need no model, as the rules take them: for commands that do all of it in one process.

Every path is one that a study has under `results/`; `config` is a study's complete configuration.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from lora.records.base import write_text
from lora.records.durations import MaxSeconds
from lora.runners.steps import Steps

TRAIN, BASE = "train", "base"


def evaluations(config: dict[str, Any]) -> list[str]:
    return [*config["roles"]["general"], *config["roles"]["domain"]]


def has_training(config: dict[str, Any]) -> bool:
    return TRAIN in config["manifests"]


def record_config(steps: Steps, config: dict[str, Any]) -> None:
    path = steps.at("config.json")
    write_text(path, json.dumps(config, sort_keys=True))
    steps.script("record_config", "--source", path, "--config", path)


def tabulate_durations(steps: Steps, config: dict[str, Any], manifests: Sequence[str]) -> None:
    tables = []
    for name in manifests:
        tables.append(steps.at(f"durations/{name}.tsv"))
        steps.script(
            "profile_durations", "--rows", steps.at(f"manifests/{name}.jsonl"), "--manifest-name", name,
            "--thresholds", *config["durations"]["thresholds"], "--table", tables[-1],
        )  # fmt: skip
    if tables:
        steps.script("summarise_durations", "--tables", *tables, "--summary", steps.at("durations/summary.tsv"))


def compare_training(steps: Steps, name: str, train_measures: str, measures: str) -> None:
    steps.script(
        "compare_training", "--manifest-name", name, "--leakage", steps.at(f"leakage/{name}.json"),
        "--train-rows", steps.at(f"manifests/{TRAIN}.jsonl"), "--rows", steps.at(f"manifests/{name}.jsonl"),
        "--train-measures", steps.at(train_measures), "--measures", steps.at(measures),
    )  # fmt: skip


def filter_training(steps: Steps, config: dict[str, Any]) -> None:
    """The decision on max_seconds, what it takes away, the split, and what other seeds would make of it."""
    durations, split = config["durations"], config["split"]
    by_speaker = "--by-speaker" if split["by_speaker"] else "--no-by-speaker"
    how = ["--val-fraction", split["val_fraction"], by_speaker, "--split-seed", split["seed"]]
    rows = steps.at(f"manifests/{TRAIN}.jsonl")
    steps.script(
        "choose_max_seconds", "--rows", rows, "--thresholds", *durations["thresholds"],
        "--max-seconds", durations["max_seconds"], "--min-train-samples", durations["min_train_samples"],
        "--max-held-out-speakers", config["integrity"]["max_held_out_speakers"], *how,
        "--value", steps.at("max_seconds.json"), "--decision", steps.at("durations/decision.json"),
    )  # fmt: skip
    asked = [] if durations["max_seconds"] == "auto" else [durations["max_seconds"]]
    steps.script(
        "profile_retention", "--rows", rows, "--thresholds", *durations["thresholds"], *asked,
        "--retention", steps.at("durations/retention.json"),
    )  # fmt: skip
    steps.script(
        "split_training", "--rows", rows, "--max-seconds", max_seconds(steps, config), *how,
        "--train", steps.at("splits/train.jsonl"), "--val", steps.at("splits/val.jsonl"),
        "--sizes", steps.at("splits/sizes.tsv"),
    )  # fmt: skip
    steps.script(
        "try_split_seeds", "--rows", rows, "--max-seconds", max_seconds(steps, config), *how,
        "--stability", steps.at("splits/stability.json"),
    )  # fmt: skip


def match_texts(steps: Steps, name: str, transcripts: str, mismatches: str) -> None:
    steps.script(
        "match_texts", "--manifest-name", name, "--rows", steps.at(f"manifests/{name}.jsonl"),
        "--transcripts", transcripts, "--mismatches", steps.at(mismatches),
    )  # fmt: skip


def score(steps: Steps, config: dict[str, Any], run: str, name: str) -> None:
    statistics = config["statistics"]
    steps.script(
        "score_run", "--run", run, "--manifest-name", name, "--rows", steps.at(f"manifests/{name}.jsonl"),
        "--transcripts", steps.at(f"transcripts/{run}/{name}.jsonl"),
        "--settings", steps.at(f"transcripts/{run}/{name}.settings.json"),
        "--max-seconds", max_seconds(steps, config),
        "--normalizer", config["normalizer"], "--confidence", statistics["confidence"],
        "--replicates", statistics["replicates"], "--assumed-shared-errors", statistics["assumed_shared_errors"],
        "--target-gain", statistics["target_gain"], "--wer", steps.at(f"wer/{run}/{name}.json"),
    )  # fmt: skip


def compare(steps: Steps, config: dict[str, Any], run: str) -> None:
    """A run against the baseline on every evaluation manifest, and the settings of both."""
    statistics, names = config["statistics"], evaluations(config)
    train = [steps.at("splits/train.jsonl")] if has_training(config) else []
    for name in names:
        steps.script(
            "compare_runs", "--run", run, "--manifest-name", name,
            "--baseline-wer", steps.at(f"wer/{BASE}/{name}.json"),
            "--tuned-wer", steps.at(f"wer/{run}/{name}.json"),
            "--baseline-transcripts", steps.at(f"transcripts/{BASE}/{name}.jsonl"),
            "--tuned-transcripts", steps.at(f"transcripts/{run}/{name}.jsonl"),
            "--margin", statistics["equivalence_margin"], "--confidence", statistics["confidence"],
            "--replicates", statistics["replicates"], "--paired", steps.at(f"paired/{run}/{name}.json"),
        )  # fmt: skip
        steps.script(
            "split_errors", "--manifest-name", name, "--rows", steps.at(f"manifests/{name}.jsonl"),
            "--baseline-wer", steps.at(f"wer/{BASE}/{name}.json"),
            "--baseline-transcripts", steps.at(f"transcripts/{BASE}/{name}.jsonl"),
            "--candidate", f"{run}={steps.at(f'transcripts/{run}/{name}.jsonl')}",
            "--train", *train, "--reachable", steps.at(f"reachable/{name}.json"),
        )  # fmt: skip

    def each(pattern: str, of: str) -> list[str]:
        return [steps.at(pattern.format(run=of, name=name)) for name in names]

    settings, wer = "transcripts/{run}/{name}.settings.json", "wer/{run}/{name}.json"
    texts = "transcripts/{run}/{name}.jsonl"
    steps.script(
        "compare_settings", "--run", run, "--baseline-settings", *each(settings, BASE),
        "--tuned-settings", *each(settings, run), "--baseline-wer", *each(wer, BASE),
        "--tuned-wer", *each(wer, run), "--baseline-transcripts", *each(texts, BASE),
        "--tuned-transcripts", *each(texts, run), "--parity", steps.at(f"parity/{run}.json"),
    )  # fmt: skip


def conclude(steps: Steps) -> None:
    study = ["--results", steps.folder, "--config", steps.at("config.json")]
    steps.script("decide_verdict", *study, "--verdict", steps.at("verdict.json"), "--gate", steps.at("gate.json"))
    steps.script("render_summary", *study, "--summary", steps.at("summary.md"))


def max_seconds(steps: Steps, config: dict[str, Any]) -> float | str:
    """The decided value, or `none`; nothing is filtered where there is no training manifest."""
    value = MaxSeconds.read(steps.at("max_seconds.json")).max_seconds if has_training(config) else None
    return "none" if value is None else value
