"""The configuration as flags of the commands that rules call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lora import layout
from lora.asr.model_files import has_tokenizer
from lora.asr.training.settings import has_effect
from lora.layout import BASE
from lora.workflow.files import transcript_file, unpacked_audio
from lora.workflow.study import Study

Flags = list[Any]


def source_flags(study: Study, manifest: str) -> Flags:
    """How a manifest is read: flags of every command that reads it."""
    return list(study.source(manifest).flags())


def reading_flags(study: Study, manifest: str) -> Flags:
    """How a manifest is read, and the folder of its unpacked audio if it has one."""
    unpacked = [flag for folder in unpacked_audio(study, manifest) for flag in ("--unpacked", folder)]
    return [*source_flags(study, manifest), *unpacked]


def base_model_flags(study: Study) -> Flags:
    """Id and revision of the model that the study tunes."""
    model = study.config.model
    if model is None:
        return []
    return ["--model-id", model.id, *(["--revision", model.revision] if model.revision is not None else [])]


def model_flags(study: Study, run: str) -> Flags:
    """Flags that load a run's model, the same for every command that does."""
    model = study.config.model
    if model is None:
        return []
    model_id = study.model_id(run)
    flags: Flags = ["--model-id", model_id]
    if model.revision is not None and model_id == model.id:
        flags += ["--revision", model.revision]
    if model_id != model.id and not has_tokenizer(Path(model_id)):
        flags += ["--tokenizer-from", model.id]
        if model.revision is not None:
            flags += ["--tokenizer-revision", model.revision]
    if model.language is not None:
        flags += ["--language", model.language]
    if model.prompt is not None:
        flags += ["--prompt", model.prompt]
    target_rms = study.target_rms(run)
    flags += ["--device", model.device, "--dtype", model.dtype, "--cpu-threads", model.cpu_threads]
    return [*flags, "--target-rms", "none" if target_rms is None else target_rms]


def adapter_flags(study: Study, run: str) -> Flags:
    """The adapter of a run, and the facts of its training if this study trains it."""
    if study.training_settings(run) is not None:
        adapter, facts = layout.ADAPTER_BEST.in_study(run=run), layout.TRAINING.in_study(run=run)
        return ["--adapter", adapter, "--train-facts", facts]
    external = study.adapter_folder(run)
    return [] if external is None else ["--adapter", external]


def decode_json(study: Study, run: str) -> str:
    """Generation arguments of a run."""
    return json.dumps(study.decode(run), sort_keys=True)


def training_flags(study: Study, run: str) -> Flags:
    """A run's training settings as flags of the runner, with the rows that they need.

    What is false or empty is left out. `report_to` is no part of them: `tracker_flags` has it.
    """
    settings = study.training_settings(run)
    if settings is None:
        return []
    flags: Flags = []
    for key, value in settings.model_dump(exclude={"report_to"}).items():
        if value is False or value == [] or not has_effect(key, value):
            continue
        flags.append(f"--{key}".replace("_", "-"))
        if isinstance(value, dict):
            flags.append(json.dumps(value, sort_keys=True))
        elif isinstance(value, list):
            flags.append(",".join(value))
        elif value is not True:
            flags.append(value)
    if settings.data_share != 1:
        flags += ["--split-seed", study.config.split.seed]
    if settings.replay_share:
        flags += ["--replay-path", layout.SPLIT_REPLAY.in_study()]
    return [*flags, *(transcribed_manifest_flags(study) if settings.eval_rows else [])]


def tracker_flags(study: Study, run: str) -> str:
    """Trackers of a run's training, as part of a command line; nothing for a run without."""
    settings = study.training_settings(run)
    return "" if settings is None or not settings.report_to else f"--report-to {','.join(settings.report_to)}"


def override_flags(study: Study) -> Flags:
    """Why the sweep is trained although the gate is not ready; nothing unless the command says so."""
    reason = study.config.sweep_reason
    return ["--reason", reason] if study.config.sweep_anyway and reason is not None else []


def loss_flags(study: Study) -> Flags:
    """Settings of all trainings that change how the loss is computed, each combination once.

    Two accumulated batches stand for any larger number of them.
    """
    trainings = [settings for run in study.trained_runs if (settings := study.training_settings(run)) is not None]
    combinations = {(settings.label_smoothing, min(settings.gradient_accumulation, 2)) for settings in trainings}
    return [
        flag
        for smoothing, accumulation in sorted(combinations)
        for flag in (
            "--train-settings",
            json.dumps({"gradient_accumulation": accumulation, "label_smoothing": smoothing}),
        )
    ]


def duration_flags(study: Study) -> Flags:
    """What the choice of max_seconds depends on."""
    durations, integrity = study.config.durations, study.config.integrity
    return [
        *("--thresholds", *durations.thresholds),
        *("--max-seconds", durations.max_seconds),
        *("--min-train-samples", durations.min_train_samples),
        *("--max-held-out-speakers", integrity.max_held_out_speakers),
        *("--max-lost-speakers", integrity.max_lost_speakers),
        *("--max-lost-words", integrity.max_lost_words),
        *("--max-rate-difference", integrity.max_rate_difference),
        *("--window", study.window),
        *("--padding", study.padding),
    ]


def split_flags(study: Study) -> Flags:
    """How the training manifest is split; the choice of max_seconds counts rows of the same split."""
    split = study.config.split
    by_speaker = "--by-speaker" if split.by_speaker else "--no-by-speaker"
    return ["--val-fraction", split.val_fraction, by_speaker, "--split-seed", split.seed]


def batch_flags(study: Study) -> Flags:
    """Limits of transcription batches that the study sets itself."""
    model = study.config.model
    flags: Flags = []
    if model is not None and model.batch_size is not None:
        flags += ["--batch-size", model.batch_size]
    if model is not None and model.batch_seconds is not None:
        flags += ["--batch-seconds", model.batch_seconds]
    return flags


def transcribed_manifest_flags(study: Study) -> Flags:
    """The manifests that a run transcribes."""
    return [
        flag
        for manifest in study.evaluations
        for flag in ("--manifest", f"{manifest}={layout.ROWS.in_study(manifest=manifest)}")
    ]


def hardened_manifest_flags(study: Study) -> Flags:
    """The domain manifests, and the baseline's WER on each."""
    return [
        flag
        for manifest in study.config.roles.domain
        for flag in (
            *("--manifest", f"{manifest}={layout.ROWS.in_study(manifest=manifest)}"),
            *("--baseline-wer", f"{manifest}={layout.WER.in_study(run=BASE, manifest=manifest)}"),
        )
    ]


def candidate_transcripts(study: Study, manifest: str) -> Flags:
    """Every candidate with its transcripts of a manifest, as NAME=PATH."""
    return [f"{run}={layout.TRANSCRIPTS.in_study(run=run, manifest=manifest)}" for run in study.config.candidates]


def candidate_scores(study: Study, manifest: str) -> Flags:
    """Every candidate with its WER facts on a manifest, as NAME=PATH."""
    return [f"{run}={layout.WER.in_study(run=run, manifest=manifest)}" for run in study.config.candidates]


def rows_by_manifest(study: Study) -> Flags:
    """Every manifest with its usable rows, as NAME=PATH."""
    return [f"{manifest}={layout.ROWS.in_study(manifest=manifest)}" for manifest in study.config.manifests]


def judged_rows_flags(study: Study) -> Flags:
    """Which rows count where the rule scores one set of rows only (`headroom.rows`)."""
    return ["--all-rows"] if study.config.headroom.rows == "all" else []


def import_flags(study: Study, run: str, manifest: str) -> Flags:
    """Format and columns of imported transcripts, as far as they are configured."""
    configured = transcript_file(study, run, manifest)
    if configured is None:
        return []
    flags = [] if configured.format is None else ["--format", configured.format]
    columns = [f"{field}={name}" for field, name in sorted((configured.columns or {}).items())]
    return [*flags, *(["--columns", *columns] if columns else [])]
