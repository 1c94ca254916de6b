"""The configuration of a study as typed records: what rules, runners, diagnosis and reports read.

The schema has all defaults, descriptions and limits (`config.schema.yaml`, docs/configuration.md); the types have none
of them, and a test compares both key by key. A field that may be None without a default in the schema is a key that
may be left out. Numbers stay as written (10, not 10.0), so that commands and results do not depend on the type.
"""

from __future__ import annotations

import json
from typing import Any

from lora.layout import NOT_EVALUATED
from lora.records.base import Record

KINDS = ("train", "adapter", "checkpoint", "hypotheses")
Number = int | float
Decode = dict[str, Any]


class Section(Record):
    """A mapping of the configuration. Keys that were left out stay out of its JSON."""

    def to_json(self) -> dict[str, Any]:
        plain: dict[str, Any] = json.loads(self.model_dump_json(exclude_unset=True))
        return plain


class ModelConfig(Section):
    id: str
    revision: str | None
    language: str | None
    prompt: str | None
    device: str
    dtype: str
    cpu_threads: int
    processes: int
    batch_size: int | None
    batch_seconds: Number | None
    shards: int
    max_audio_seconds: str | Number


class ManifestConfig(Section):
    path: str
    format: str
    split: str | None
    columns: dict[str, str]
    channel: int | None


class TranscriptFileConfig(Section):
    path: str
    format: str | None = None
    columns: dict[str, str] | None = None


class HypothesesConfig(Section):
    hypotheses: dict[str, str | TranscriptFileConfig]


class RolesConfig(Section):
    general: list[str]
    domain: list[str]


class DurationsConfig(Section):
    thresholds: list[Number]
    max_seconds: str | Number
    min_train_samples: int


class SplitConfig(Section):
    val_fraction: Number
    by_speaker: bool
    seed: int


class IntegrityConfig(Section):
    max_unreadable: Number
    max_empty: Number
    max_unusable: Number
    blocking_rejected: Number
    max_duplicates: Number
    max_lost_speakers: Number
    max_lost_words: Number
    max_rate_difference: Number
    max_held_out_speakers: Number
    max_leaked: Number
    max_shared_sentences: Number
    max_wrong_durations: Number
    duration_tolerance: Number
    max_silent: Number
    blocking_silent: Number
    min_level: Number
    max_clipped: Number
    max_clipped_samples: Number
    max_narrowband: Number
    min_bandwidth: Number
    max_rate_outliers: Number
    max_rate_ratio: Number
    max_mismatched: Number
    blocking_mismatched: Number
    max_unlike: Number
    max_overlapping: Number
    max_odd_characters: Number
    max_speed_ratio: Number
    mismatch_ratio: Number


class PreprocessConfig(Section):
    target_rms: Number | None


class TextConfig(Section):
    unit: str
    strip: str | list[str]
    max_effect: Number
    max_training_rows: Number


class LabelsConfig(Section):
    sample: int
    seed: int
    min_agreement: Number
    max_log_probability_gap: Number
    max_loss_gap: Number
    max_style_difference: Number
    max_style_cost: Number
    max_style_share: Number
    max_number_difference: Number
    max_changed_by_tokenizer: Number
    max_too_long: Number


class HeadroomConfig(Section):
    rows: str
    min_wer: Number
    harden: bool
    max_wer: Number
    max_truncated: Number
    max_insertions: Number
    max_loops: Number
    min_length_ratio: Number
    max_reference_errors: Number


class StatisticsConfig(Section):
    replicates: int
    confidence: Number
    equivalence_margin: Number
    target_gain: Number
    assumed_shared_errors: Number
    assumed_seed_deviation: Number


class AdapterConfig(Section):
    sample: int
    min_relative_norm: Number
    max_relative_norm: Number
    min_changed_share: Number
    min_learning_rate_share: Number
    max_loss_growth: Number
    max_overfit: Number


class TrainConfig(Section):
    max_steps: int
    learning_rate: Number
    scheduler: str
    warmup_steps: int
    weight_decay: Number
    batch_size: int
    gradient_accumulation: int
    label_smoothing: Number
    seed: int
    data_share: Number
    replay_share: Number
    rank: int
    alpha: Number
    dropout: Number
    target_modules: str | list[str]
    target_parts: list[str]
    modules_to_save: list[str]
    bias: str
    use_dora: bool
    use_rslora: bool
    init_lora_weights: str
    eval_steps: int
    select: str
    wer_stop_threshold: Number | None
    eval_rows: int
    eval_decode: Decode
    report_to: list[str]


class SweepRunConfig(TrainConfig):
    """A run of the sweep: training settings, and the group that it belongs to (loading fills it in)."""

    group: str | None

    @property
    def training(self) -> TrainConfig:
        """The training settings alone."""
        return TrainConfig(**self.model_dump(exclude={"group"}))


class HypothesisConfig(Section):
    preset: str | None
    statement: str | None
    test: str | None
    factor: str | list[str] | None
    runs: list[str] | None
    predicts: str | None
    manifest: str | None
    guard: str | None
    min_seeds: int


class CandidateConfig(Section):
    """A run compared with the baseline: exactly one of `KINDS` is set."""

    train: TrainConfig | None = None
    adapter: str | None = None
    checkpoint: str | None = None
    hypotheses: dict[str, str | TranscriptFileConfig] | None = None
    decode: Decode | None = None
    preprocess: PreprocessConfig | None = None
    normalizer: str | None = None

    @property
    def kind(self) -> str:
        """train, adapter, checkpoint or hypotheses."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)


class GateConfig(Section):
    run: str | None


class StudyConfig(Section):
    model: ModelConfig | None
    manifests: dict[str, str | ManifestConfig]
    roles: RolesConfig
    durations: DurationsConfig
    split: SplitConfig
    integrity: IntegrityConfig
    preprocess: PreprocessConfig
    decode: Decode
    normalizer: str
    text: TextConfig
    labels: LabelsConfig
    headroom: HeadroomConfig
    statistics: StatisticsConfig
    adapter: AdapterConfig
    candidates: dict[str, CandidateConfig]
    base: HypothesesConfig | None
    reviews: list[str]
    gate: GateConfig
    sweep: dict[str, SweepRunConfig]
    sweep_anyway: bool
    sweep_reason: str | None
    hypotheses: dict[str, HypothesisConfig]

    @property
    def evaluations(self) -> list[str]:
        """Evaluation manifests in the order of `manifests`."""
        return [name for name in self.manifests if name not in NOT_EVALUATED]

    @property
    def domain(self) -> list[str]:
        """Manifests that can show a gain: all evaluation manifests but the general ones, or all if none is left."""
        return [m for m in self.evaluations if m not in self.roles.general] or self.evaluations

    @property
    def general(self) -> list[str]:
        return [m for m in self.evaluations if m not in self.domain]

    @property
    def gate_run(self) -> str | None:
        """The candidate that decides: the configured one, else the first that trains, else the first."""
        trained = [run for run, candidate in self.candidates.items() if candidate.kind == "train"]
        return self.gate.run or next(iter([*trained, *self.candidates]), None)

    @property
    def trained(self) -> dict[str, TrainConfig]:
        """Training settings of every run that this study trains: candidates first, then the sweep."""
        candidates = {run: c.train for run, c in self.candidates.items() if c.train is not None}
        return {**candidates, **{run: entry.training for run, entry in self.sweep.items()}}

    def training(self, run: str) -> TrainConfig | None:
        """Training settings of a run; None for a run that this study does not train."""
        if run in self.candidates:
            return self.candidates[run].train
        return self.sweep[run].training if run in self.sweep else None

    def kind(self, run: str) -> str:
        """The candidate's kind: train, adapter, checkpoint or hypotheses."""
        return self.candidates[run].kind
