"""The part of a study's configuration that judgement reads (`results/config.json`).

No default stands here: `schemas/config.schema.yaml` holds all of them, and a missing key is an error that names it.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict

from lora.records.base import Record

TRAIN = "train"


class Section(Record):
    """A section of the configuration; keys that only other wings read are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Roles(Section):
    general: list[str]
    domain: list[str]


class DurationRules(Section):
    min_train_samples: int


class SplitRules(Section):
    val_fraction: float


class IntegrityRules(Section):
    """Shares of a manifest's rows, unless the schema says of what; `max_rate_difference` is relative."""

    max_unreadable: float
    max_empty: float
    max_duplicates: float
    max_lost_speakers: float
    max_lost_words: float
    max_rate_difference: float
    max_held_out_speakers: float
    max_leaked: float
    max_shared_sentences: float
    max_wrong_durations: float
    duration_tolerance: float
    max_silent: float
    min_level: float
    max_clipped: float
    max_clipped_samples: float
    max_narrowband: float
    min_bandwidth: float
    max_rate_outliers: float
    max_rate_ratio: float
    max_mismatched: float
    blocking_mismatched: float
    mismatch_ratio: float


class LabelRules(Section):
    """Shares are 0..1; `max_log_probability_gap`, `max_loss_gap` and `max_style_cost` are nats a token."""

    min_agreement: float
    max_log_probability_gap: float
    max_loss_gap: float
    max_style_difference: float
    max_style_cost: float
    max_style_share: float
    max_number_difference: float
    max_changed_by_tokenizer: float
    max_too_long: float


class HeadroomRules(Section):
    """WER as fractions; `max_insertions` and `min_length_ratio` are words per reference word, the others of rows."""

    min_wer: float
    max_wer: float
    max_truncated: float
    max_insertions: float
    max_loops: float
    min_length_ratio: float
    max_reference_errors: float


class StatisticsRules(Section):
    equivalence_margin: float
    target_gain: float


class AdapterRules(Section):
    min_relative_norm: float
    max_relative_norm: float
    min_changed_share: float
    min_learning_rate_share: float
    max_loss_growth: float
    max_overfit: float


class GateRules(Section):
    run: str | None


class StudyConfig(Section):
    model: dict[str, Any] | None
    manifests: dict[str, str | dict[str, Any]]
    roles: Roles
    durations: DurationRules
    split: SplitRules
    integrity: IntegrityRules
    labels: LabelRules
    headroom: HeadroomRules
    statistics: StatisticsRules
    adapter: AdapterRules
    candidates: dict[str, dict[str, Any]]
    gate: GateRules

    @property
    def evaluations(self) -> list[str]:
        return [name for name in self.manifests if name != TRAIN]

    @property
    def domain(self) -> list[str]:
        """Manifests that can show a gain: all evaluations but the general ones, or all where none is left."""
        return [m for m in self.evaluations if m not in self.roles.general] or self.evaluations

    @property
    def general(self) -> list[str]:
        return [m for m in self.evaluations if m not in self.domain]

    @property
    def gate_run(self) -> str | None:
        """The candidate that decides: the configured one, else the first that trains, else the first."""
        trained = [run for run in self.candidates if self.kind(run) == "train"]
        return self.gate.run or next(iter([*trained, *self.candidates]), None)

    def kind(self, run: str) -> str:
        """train, adapter, checkpoint or hypotheses."""
        return next(key for key in ("train", "adapter", "checkpoint", "hypotheses") if key in self.candidates[run])
