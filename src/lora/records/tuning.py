"""Facts about the model side: training, hardened manifests."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lora.records.base import Fact, Record


class ValidationPoint(Record):
    """Loss (and WER where measured) on the validation split after `step` optimiser steps."""

    step: int
    loss: float | None
    wer: float | None = None


class LossRow(Record):
    """One logged step of a training; a row of `results/adapters/<run>/loss.tsv`. Empty cells: not measured then."""

    step: int = Field(description="Optimiser step; 0 is before training.")
    epoch: float | None = Field(description="Passes over the training split so far.")
    train_loss: float | None = Field(description="Training loss in nats per token.")
    learning_rate: float | None = Field(description="Learning rate of the optimiser at this step.")
    grad_norm: float | None = Field(description="Norm of the gradient before clipping.")
    validation_loss: float | None = Field(description="Loss on the validation split in nats per token.")


class ModuleChange(Record):
    """How far training moved one adapted module, as norms relative to the initial lora_A and to the base weight.

    `delta` is the norm of scale*(BA - B0 A0), the change of the product since initialisation.
    """

    name: str
    lora_a: float | None
    delta: float | None


class TrainFacts(Fact):
    """`results/adapters/<run>/train.json`: what a training was told, and what it truly did; null is not known.

    `source` is null for a training of this study, else the file beside a brought adapter that tells of its training
    (empty where none does). `settings` are the candidate's own (runner flags with underscores). `other_trainable` names
    trainable parameters that the adapter's file does not hold, `fully_trained` tensors that it holds beside the LoRA
    matrices (modules saved whole, biases). `adapted` counts adapted modules by part and last name.
    `zero_gradient_modules` are adapted modules whose gradient was zero at every step. `learning_rate_peak` is read from
    the optimiser, not from the settings. `validation` pairs step with loss (and WER where measured). `best_kept` says
    that the weights that are judged are those of `best_step`. `changes` tell how far each module's weights in `best/`
    (else `last/`) moved from their initial values.
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
    fully_trained: list[str] = []
    target_modules: int | None = None
    adapted: dict[str, dict[str, int]] = {}
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
    changes: list[ModuleChange] = []


class HardenedVersion(Record):
    """Base WER on one graded, deterministic distortion of the manifest, mildest first within each kind."""

    distortion: str
    level: float
    utterances: int
    wer: float | None
    ci_low: float | None
    ci_high: float | None

    @property
    def label(self) -> str:
        return f"{self.distortion}-{self.level:g}"


class HardenedFacts(Record):
    """`results/hardened.json`: `not_needed` where a domain manifest has headroom (or nothing could be measured).

    `proposed` names a manifest: `<manifest>-<label of a version>`. `wer` is the baseline's on the manifest as it is,
    `hours` the speech that was decoded for all versions together. Versions hold rows within `max_seconds` and were made
    at `sampling_rate` (Hz).
    """

    status: Literal["not_needed", "measured"]
    manifest: str | None = None
    proposed: str | None = None
    wer: float | None = None
    max_seconds: float | None = None
    sampling_rate: int | None = None
    hours: float | None = None
    versions: list[HardenedVersion] = []

    @property
    def proposal(self) -> HardenedVersion | None:
        return next((v for v in self.versions if f"{self.manifest}-{v.label}" == self.proposed), None)
