"""Facts about the model side: training, the label audit, hardened manifests."""

from __future__ import annotations

from typing import Any, Literal

from lora.records.base import Fact, Record


class ValidationPoint(Record):
    """Loss (and WER where measured) on the validation split after `step` optimiser steps."""

    step: int
    loss: float | None
    wer: float | None = None


class ModuleChange(Record):
    """How far training moved one adapted module, as norms relative to the initial lora_A and to the base weight.

    `delta` is the norm of scale*(BA - B0 A0), the change of the product since initialisation.
    """

    name: str
    lora_a: float | None
    delta: float | None


class TrainFacts(Fact):
    """`results/adapters/<run>/train.json`: what the short adapter run was told, and what it truly did.

    `settings` are the candidate's own (runner flags with underscores). `other_trainable` names trainable parameters
    that are not adapter parameters. `zero_gradient_modules` are adapted modules whose gradient was zero at every step.
    `learning_rate_peak` is read from the optimiser, not from the settings. `validation` pairs step with loss (and WER
    where measured). `best_kept` says that `best/` holds the weights of `best_step`. `changes` tell how far each
    module's weights in `best/` (else `last/`) moved from their initial values.
    """

    run: str
    settings: dict[str, Any] = {}
    base_model_hash: str | None = None
    train_rows: int = 0
    val_rows: int = 0
    trainable_parameters: int = 0
    total_parameters: int = 0
    other_trainable: list[str] = []
    target_modules: int = 0
    zero_gradient_modules: list[str] = []
    planned_steps: int = 0
    optimizer_steps: int = 0
    learning_rate_peak: float | None = None
    gradient_norm_median: float | None = None
    first_train_loss: float | None = None
    final_train_loss: float | None = None
    non_finite_step: int | None = None
    validation: list[ValidationPoint] = []
    best_step: int | None = None
    best_kept: bool | None = None
    changes: list[ModuleChange] = []


class LabelStructure(Record):
    """Shares of sampled rows, 1.0 is right everywhere. Tokens are those the trainer's own collator built.

    `start_is_right`: no second decoder start where the model adds its own.
    """

    ends_with_eos: float
    start_is_right: float
    padding_ignored: float
    prefix_matches_generation: float | None


class OwnHypotheses(Record):
    """The model's own greedy texts, labelled as training labels are: built rightly, the model agrees with itself."""

    utterances: int
    positions: int
    argmax_agreement: float
    log_probability_gap: float | None


class LossComparison(Record):
    """Loss as Seq2SeqTrainer computes it against cross entropies by hand at shift 0 and 1, on the same batch."""

    trainer: float | None
    shift_0: float | None
    shift_1: float | None


class StyleProfile(Record):
    """How texts are written: shares over texts (0..1) and marks per 100 words."""

    texts: int
    upper_case: float
    lower_case: float
    sentence_case: float
    with_final_punctuation: float
    punctuation_per_100_words: float
    digits_per_100_words: float


class LabelFacts(Fact):
    """`results/labels.json`: the audit of a seeded sample of training labels by the base model in evaluation mode.

    `*_nll` are negative log-likelihoods in nats a token; `restyled_nll` is that of references rewritten in the model's
    own style (case, punctuation). `unwritable` maps a character the tokenizer loses to the number of rows that hold it.
    """

    sampled: int = 0
    structure: LabelStructure | None = None
    own: OwnHypotheses | None = None
    loss: LossComparison | None = None
    reference_nll: float | None = None
    hypothesis_nll: float | None = None
    restyled_nll: float | None = None
    reference_style: StyleProfile | None = None
    hypothesis_style: StyleProfile | None = None
    unwritable: dict[str, int] = {}
    longest_label: int = 0
    label_limit: int | None = None
    too_long_ids: list[str] = []
    beyond_window_ids: list[str] = []
    transformers: str | None = None


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
