"""Input files of rules: what must exist for a run or a manifest. Paths are relative to the study folder."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from lora import layout
from lora.asr.adapter.files import adapter_home
from lora.asr.training.history import history_file
from lora.configuration.study import TranscriptFileConfig
from lora.data.transcripts.recorded_settings import adjacent_settings
from lora.layout import BASE, TRAIN, required_facts, required_plots, required_results
from lora.workflow.study import Study

# Files of a model or adapter folder that are read; an edited model card makes nothing stale.
MODEL_SUFFIXES = {".json", ".safetensors", ".txt", ".model", ".jinja"}

PLAN, NOTES = "docs/experiment_plan.md", "notes.md"
PUBLISHED = "work/published"  # newer than both documents while they are as they were published
COMMANDS = f"results/{layout.COMMANDS}"
LISTENING_PAGE = layout.LISTEN.in_study()


def documents() -> list[str]:
    """The documents that a diagnosis is published into; none before the first run creates them."""
    return [path for path in (PLAN, NOTES) if Path(path).is_file()]


def manifest_files(study: Study, manifest: str) -> list[str]:
    """The files that list a manifest's rows."""
    return study.manifest_files[manifest]


def unpacked_audio(study: Study, manifest: str) -> list[str]:
    """Folder of the recordings of a manifest whose audio is inside its files; none for any other manifest."""
    return [layout.AUDIO.in_study(manifest=manifest)] if manifest in study.packed_manifests else []


def unpacking_record(study: Study, manifest: str) -> list[str]:
    """Record of the job that wrote `unpacked_audio`, which changes whenever the recordings do."""
    return [layout.AUDIO_RECORD.in_study(manifest=manifest)] if manifest in study.packed_manifests else []


def rows_of(manifests: Iterable[str]) -> list[str]:
    """Usable rows of manifests."""
    return [layout.ROWS.in_study(manifest=manifest) for manifest in manifests]


def training_split(study: Study) -> list[str]:
    """The training split, whose words are in the vocabulary of training; none without a training manifest."""
    return [layout.SPLIT_TRAIN.in_study()] if study.has_training else []


def replay_rows(study: Study, run: str) -> list[str]:
    """Rows that a run's training mixes in; none without replay."""
    settings = study.training_settings(run)
    return [layout.SPLIT_REPLAY.in_study()] if settings is not None and settings.replay_share else []


def in_run_rows(study: Study, run: str) -> list[str]:
    """Rows of the manifests that are transcribed while a run is trained; none without `eval_rows`."""
    return rows_of(study.evaluations) if run in study.evaluated_runs else []


def in_run_transcripts(study: Study, run: str) -> list[str]:
    """Transcripts of the last evaluation while a run was trained."""
    return [layout.IN_RUN_TRANSCRIPTS.in_study(run=run, manifest=manifest) for manifest in study.evaluations]


def model_files(study: Study, run: str) -> list[str]:
    """Files of the model that a run transcribes with, before any adapter."""
    return folder_files(study.model_id(run))


def adapter_folder(study: Study, run: str) -> list[str]:
    """Folder of an adapter that this study trains; none for any other run. `adapter_files` change when it does."""
    return [] if study.training_settings(run) is None else [layout.ADAPTER_BEST.in_study(run=run)]


def adapter_files(study: Study, run: str) -> list[str]:
    """The record of a run's training, or the files of an external adapter."""
    if study.training_settings(run) is not None:
        return [layout.TRAINING.in_study(run=run)]
    return external_adapter_files(study, run)


def external_adapter_files(study: Study, run: str) -> list[str]:
    """Files of an adapter that was trained elsewhere; none for any other run."""
    folder = study.adapter_folder(run)
    return [] if folder is None else folder_files(str(adapter_home(folder)))


def shard_facts(study: Study, run: str) -> list[str]:
    """What the jobs that transcribe parts of a run write."""
    return [f"work/shards/{run}/{number}-of-{study.shards}.json" for number in range(1, study.shards + 1)]


def folder_files(folder: str) -> list[str]:
    """Files of a model or adapter folder; none for the id of a model on the hub."""
    paths = Path(folder).glob("*")
    return sorted(str(path) for path in paths if path.is_file() and path.suffix in MODEL_SUFFIXES)


def training_record(study: Study, run: str) -> list[str]:
    """The file that records the training of an external adapter or a tuned checkpoint; none without a record."""
    folder = study.external_weights(run)
    path = None if folder is None else history_file(Path(folder))
    return [] if path is None else [str(path)]


def transcript_file(study: Study, run: str, manifest: str) -> TranscriptFileConfig | None:
    """The configured file of an imported run's transcripts; None where the run has none of this manifest."""
    if run == BASE:
        hypotheses = None if study.config.base is None else study.config.base.hypotheses
    else:
        hypotheses = study.config.candidates[run].hypotheses
    entry = (hypotheses or {}).get(manifest)
    return TranscriptFileConfig(path=entry) if isinstance(entry, str) else entry


def imported_hypotheses(study: Study, run: str, manifest: str) -> list[str]:
    """The file of an imported run's transcripts of a manifest."""
    configured = transcript_file(study, run, manifest)
    return [] if configured is None else [configured.path]


def imported_settings(study: Study, run: str, manifest: str) -> list[str]:
    """The settings file next to imported transcripts, where there is one."""
    return [
        str(settings)
        for path in imported_hypotheses(study, run, manifest)
        if os.path.lexists(settings := adjacent_settings(Path(path)))
    ]


def base_hypotheses(study: Study, manifest: str) -> str:
    """The base model's transcripts of a manifest; of the training manifest those of the label audit's sample."""
    if manifest == TRAIN:
        return layout.LABEL_HYPOTHESES.in_study()
    return layout.TRANSCRIPTS.in_study(run=BASE, manifest=manifest)


def sampled_hypotheses(study: Study, manifest: str) -> list[str]:
    """Transcripts of the only rows of a manifest that a run transcribes; none where every row is transcribed."""
    return [base_hypotheses(study, manifest)] if manifest == TRAIN else []


def listening_facts(study: Study) -> list[str]:
    """What the listening page shows: rows with their sound, transcripts, errors, and why to listen to a row."""
    kinds = (
        layout.SOUNDS,
        layout.TRANSCRIPTS,
        layout.WER,
        layout.PAIRED,
        layout.MISMATCHES,
        layout.RUN_MISMATCHES,
        layout.REACHABLE,
        layout.SPLIT_TRAIN,
        layout.LABEL_HYPOTHESES,
        layout.VERDICT,
    )
    config = study.config.to_json()
    return [f"results/{path}" for kind in kinds for path in kind.paths(config)]


def duration_facts(study: Study) -> list[str]:
    """Duration tables of all manifests; with a training manifest also the filter's and the split's effect."""
    facts = [layout.DURATION_SUMMARY.in_study()]
    if study.has_training:
        facts += [
            layout.DECISION.in_study(),
            layout.RETENTION.in_study(),
            layout.SPLIT_SIZES.in_study(),
            layout.STABILITY.in_study(),
        ]
    return facts


def duration_plots(study: Study) -> list[str]:
    """Plots of the duration filter; none without a training manifest."""
    return paths_of(study, layout.DURATION_PLOT, layout.RETENTION_PLOT)


def baseline_plots(study: Study) -> list[str]:
    """The plot of the baseline's WER."""
    return paths_of(study, layout.BASELINE_PLOT)


def effect_plots(study: Study) -> list[str]:
    """Plots of WER and of changed weights."""
    return paths_of(study, layout.WER_PLOT, layout.WEIGHTS_PLOT)


def paths_of(study: Study, *kinds: layout.ResultFile[Any]) -> list[str]:
    """Paths of all files of these kinds that a study has."""
    config = study.config.to_json()
    return [f"results/{path}" for kind in kinds for path in kind.paths(config)]


def all_facts(study: Study) -> list[str]:
    """Every fact file that the verdict and the report read."""
    return required_facts(study.config.to_json())


def all_plots(study: Study) -> list[str]:
    return required_plots(study.config.to_json())


def all_results(study: Study) -> list[str]:
    """Every file and folder that a diagnosis computes.

    Snakemake computes a deleted one again where a target names it, and not where finished jobs alone have read it.
    """
    packed = [
        kind.in_study(manifest=manifest)
        for manifest in study.packed_manifests
        for kind in (layout.AUDIO, layout.AUDIO_RECORD)
    ]
    return [*packed, *required_results(study.config.to_json())]


def any_of(names: Iterable[str]) -> str:
    """A wildcard constraint that admits these names only, and nothing when there are none."""
    return "|".join(names) or "(?!)"
