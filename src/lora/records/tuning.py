"""Facts about the model side: training, the effect ladder, hardened manifests."""

from __future__ import annotations

from typing import Any, Literal

from lora.records.base import Fact, Record


class ValidationPoint(Record):
    """Loss (and WER where measured) on the validation split after `step` optimiser steps."""

    step: int
    loss: float | None
    wer: float | None = None


class TrainFacts(Fact):
    """`results/adapters/<run>/train.json`: what a training was told, and what it truly did; null is not known.

    `source` is null for a training of this study, else the file beside a brought adapter that tells of its training
    (empty where none does). `settings` are the candidate's own (runner flags with underscores). `other_trainable` names
    trainable parameters that are not adapter parameters. `zero_gradient_modules` are adapted modules whose gradient was
    zero at every step. `learning_rate_peak` is read from the optimiser, not from the settings. `validation` pairs step
    with loss (and WER where measured). `best_kept` says that the weights that are judged are those of `best_step`.
    """

    run: str
    source: str | None = None
    settings: dict[str, Any] = {}
    base_model_hash: str | None = None
    train_rows: int | None = None
    val_rows: int | None = None
    trainable_parameters: int | None = None
    total_parameters: int | None = None
    other_trainable: list[str] = []
    target_modules: int | None = None
    zero_gradient_modules: list[str] = []
    planned_steps: int | None = None
    optimizer_steps: int | None = None
    learning_rate_peak: float | None = None
    gradient_norm_median: float | None = None
    first_train_loss: float | None = None
    final_train_loss: float | None = None
    non_finite_step: int | None = None
    validation: list[ValidationPoint] = []
    best_step: int | None = None
    best_kept: bool | None = None


class FileRung(Record):
    """Rung 1, the adapter's files: tensors readable and finite, and how many of its lora_B matrices are all zero.

    `alpha` is null where the adapter's configuration tells none.
    """

    peft_type: str
    rank: int
    alpha: float | None
    tensors: int
    finite: bool
    lora_b: int
    lora_b_zero: int
    initialisation: str
    bias: str


class LoadRung(Record):
    """Rung 2, the adapter in the model: tensors of the file found in the model, and the parts of the model it adapts.

    `base_matches` is null where nothing recorded the base model the adapter was trained on.
    """

    tensors_in_file: int
    tensors_loaded: int
    missing_keys: list[str]
    unexpected_keys: list[str]
    active: bool
    base_matches: bool | None
    base_trained_on: str | None
    modules_by_part: dict[str, int]


class ModuleDelta(Record):
    """Rung 3, one adapted module: Frobenius norms of the effective delta scale*BA and of the base weight."""

    name: str
    part: str
    delta_norm: float | None
    base_norm: float | None
    relative_norm: float | None
    stable_rank: float | None


class LogitsRung(Record):
    """Rung 4, logits with the adapter on against off, teacher-forced on validation rows, same call path.

    `kl_mean` is the mean KL(on || off) in nats a position; `argmax_flips` the share of positions whose most likely
    token differs. `off_equals_base`: largest absolute difference between off and a freshly loaded base is exactly 0.
    """

    utterances: int
    positions: int
    kl_mean: float | None
    argmax_flips: float
    largest_difference: float | None
    off_equals_base: bool


class TextRung(Record):
    """Rung 5, `generate` with the adapter on against off: hypotheses changed, and adapter calls counted by hook."""

    utterances: int
    changed: int
    adapter_calls: int
    adapter_calls_off: int
    merged_changed: int | None


class EffectFacts(Fact):
    """`results/effect/<run>.json`: the rungs of the ladder; null is a rung that could not be climbed."""

    run: str
    adapter: str | None = None
    file: FileRung | None = None
    load: LoadRung | None = None
    weights: list[ModuleDelta] | None = None
    median_relative_norm: float | None = None
    logits: LogitsRung | None = None
    text: TextRung | None = None


class HardenedVersion(Record):
    """Base WER on one graded, deterministic distortion of the manifest, mildest first."""

    distortion: str
    level: float
    utterances: int
    wer: float | None
    ci_low: float | None
    ci_high: float | None


class HardenedFacts(Record):
    """`results/hardened.json`: `not_needed` where a domain manifest has headroom (or nothing could be measured)."""

    status: Literal["not_needed", "measured"]
    manifest: str | None = None
    proposed: str | None = None
    versions: list[HardenedVersion] = []
