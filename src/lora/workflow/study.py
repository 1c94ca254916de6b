"""The study as the rules see it: names of manifests and runs, and the settings of each run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from lora.asr.model_files import family_of
from lora.configuration.origin import Origin, location
from lora.configuration.study import Decode, ManifestConfig, Number, StudyConfig, TrainConfig
from lora.data.formats.registry import contains_audio, manifest_files
from lora.data.source import Source
from lora.layout import BASE, NOT_EVALUATED, TRAIN
from lora.records.base import UserError
from lora.records.durations import MaxSeconds


@dataclass(frozen=True)
class Study:
    """A configuration and what its rules derive from it. Runs are the baseline, candidates and entries of the sweep.

    `manifest_files` maps each manifest to the files that list its rows, and `packed_manifests` names the manifests
    whose audio is inside these files.
    """

    config: StudyConfig
    manifest_files: dict[str, list[str]] = field(default_factory=dict)
    packed_manifests: list[str] = field(default_factory=list)

    @property
    def evaluations(self) -> list[str]:
        """Evaluation manifests, general ones first."""
        return [*self.config.roles.general, *self.config.roles.domain]

    @property
    def has_training(self) -> bool:
        """Whether there is a training manifest; without a model it may be missing."""
        return TRAIN in self.config.manifests

    def source(self, manifest: str) -> Source:
        return replace(source_of(self.config.manifests[manifest]), silence=manifest not in NOT_EVALUATED)

    def per_manifest(self, pattern: str) -> list[str]:
        """Fill in {manifest} with every evaluation manifest."""
        return [pattern.format(manifest=manifest) for manifest in self.evaluations]

    def per_run_and_manifest(self, pattern: str, runs: Iterable[str]) -> list[str]:
        """Fill in {run} with the runs and {manifest} with every evaluation manifest."""
        return [pattern.format(run=run, manifest=manifest) for run in runs for manifest in self.evaluations]

    def runs_with(self, *kinds: str) -> list[str]:
        """Candidates of the kinds train, adapter, checkpoint or hypotheses, in the configuration's order."""
        return [run for run, candidate in self.config.candidates.items() if candidate.kind in kinds]

    @property
    def trained_runs(self) -> list[str]:
        """Candidates that train, and the entries of the sweep."""
        return [*self.runs_with("train"), *self.config.sweep]

    @property
    def evaluated_runs(self) -> list[str]:
        """Runs whose training transcribes evaluation manifests while it runs (`eval_rows`)."""
        settings = {run: self.training_settings(run) for run in self.trained_runs}
        return [run for run, own in settings.items() if own is not None and own.eval_rows]

    @property
    def imported_runs(self) -> list[str]:
        """Runs whose transcripts are imported."""
        return [*([BASE] if self.config.base is not None else []), *self.runs_with("hypotheses")]

    @property
    def transcribed_runs(self) -> list[str]:
        """Runs that the model transcribes: the baseline, candidates with weights, entries of the sweep."""
        base = [] if self.config.base is not None else [BASE]
        return [*base, *self.runs_with("train", "adapter", "checkpoint"), *self.config.sweep]

    def training_settings(self, run: str) -> TrainConfig | None:
        """Settings of a run that trains; None for any other run."""
        return self.config.training(run)

    def adapter_folder(self, run: str) -> str | None:
        """Folder of an external adapter; None for a run without one."""
        candidate = self.config.candidates.get(run)
        return None if candidate is None else candidate.adapter

    def external_weights(self, run: str) -> str | None:
        """Folder of a candidate that was trained elsewhere: an adapter or a checkpoint; None for any other run."""
        candidate = self.config.candidates.get(run)
        return None if candidate is None else candidate.adapter or candidate.checkpoint

    def model_id(self, run: str) -> str:
        """Folder or hub id of the model that a run transcribes with, without any adapter."""
        candidate = self.config.candidates.get(run)
        if candidate is not None and candidate.checkpoint is not None:
            return candidate.checkpoint
        if self.config.model is None:
            raise UserError(f"run {run}: `model` is null, so nothing can be transcribed. Set `model`.")
        return self.config.model.id

    def decode(self, run: str) -> Decode:
        """Generation arguments of a run: a candidate's own, else the study's."""
        candidate = self.config.candidates.get(run)
        return self.config.decode if candidate is None or candidate.decode is None else candidate.decode

    def normalizer(self, run: str) -> str:
        """Text normalisation of a run: a candidate's own, else the study's."""
        candidate = self.config.candidates.get(run)
        return self.config.normalizer if candidate is None or candidate.normalizer is None else candidate.normalizer

    def target_rms(self, run: str) -> Number | None:
        """Loudness that a run's audio is scaled to: a candidate's own, else the study's; None leaves it as recorded."""
        candidate = self.config.candidates.get(run)
        if candidate is None or candidate.preprocess is None:
            return self.config.preprocess.target_rms
        return candidate.preprocess.target_rms

    @property
    def model_threads(self) -> int:
        return 1 if self.config.model is None else self.config.model.cpu_threads

    @property
    def model_gpus(self) -> int:
        """One GPU per model job, unless the study uses the CPU; it counts only where a profile limits `gpu`."""
        return 0 if self.config.model is None or self.config.model.device == "cpu" else 1

    @property
    def training_processes(self) -> int:
        return 1 if self.config.model is None else self.config.model.processes

    @property
    def shards(self) -> int:
        """Jobs that transcribe a run side by side."""
        return 1 if self.config.model is None else self.config.model.shards

    @property
    def window(self) -> Number | str:
        """Longest audio (seconds) that the model takes in one piece, as far as known without loading it, or `none`."""
        if self.config.model is None:
            return "none"
        seconds = self.config.model.max_audio_seconds
        if isinstance(seconds, str):
            family = family_of(self.config.model.id)
            return "none" if family is None or family.window_seconds is None else family.window_seconds
        return seconds

    @property
    def padding(self) -> Number | str:
        """Step (seconds) of the grid that the model pads audio to, as far as known without loading it, or `none`."""
        family = None if self.config.model is None else family_of(self.config.model.id)
        return "none" if family is None else family.padding_seconds

    @property
    def duration_limits(self) -> list[Number]:
        """Every value of max_seconds that the study compares: its thresholds and a configured number."""
        configured = self.config.durations.max_seconds
        return sorted({*self.config.durations.thresholds, *([] if isinstance(configured, str) else [configured])})

    def max_seconds(self, results: Path = Path("results")) -> float | str:
        """The chosen value, `none` without a filter, `undecided` before the choice (no job that uses it runs then)."""
        if not self.has_training:
            return "none"
        chosen = results / "max_seconds.json"
        if not chosen.exists():
            return "undecided"
        value = MaxSeconds.read(chosen).max_seconds
        return "none" if value is None else value


def open_study(config: StudyConfig, origin: Origin | None = None) -> Study:
    """Look at the files of all manifests, relative to the working directory.

    Args:
        config: The complete configuration.
        origin: Where it came from, for line numbers; None if it was passed in memory.

    Raises:
        UserError: If a manifest is of no known format.
    """
    files: dict[str, list[str]] = {}
    packed = []
    for manifest, entry in config.manifests.items():
        try:
            source = source_of(entry)
            files[manifest] = [str(path) for path in manifest_files(source)]
            if contains_audio(source):
                packed.append(manifest)
        except (UserError, OSError) as error:  # the latter of a folder that cannot be searched, such as /proc
            where = "" if origin is None else f"{location(origin, ['manifests', manifest])}: "
            raise UserError(f"{where}manifests.{manifest}: {error}") from None
    return Study(config, files, packed)


def source_of(entry: str | ManifestConfig) -> Source:
    return Source.from_config(entry if isinstance(entry, str) else entry.to_json())
