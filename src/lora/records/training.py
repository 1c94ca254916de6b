"""A training: its settings, losses and outcome."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from lora.records.base import Fact, Record

RateTrend = Literal["constant", "rising", "falling"]
WerUnit = Literal["fraction", "percent"]


class ValidationPoint(Record):
    """Validation after some optimiser steps."""

    step: int = Field(description="Optimiser steps.")
    loss: float | None = Field(description="Loss on the validation split in nats per token.")
    wer: float | None = Field(default=None, description="WER on the validation split (fraction), where measured.")


class EarlyStopping(Record):
    """Early stopping of the Hugging Face Trainer, or of another callback that ends a training."""

    patience: int | None = Field(
        description="Validations without improvement after which training stops; null for another callback."
    )
    waited: int | None = Field(description="Validations since the last improvement; null for another callback.")
    stopped: bool = Field(description="Whether it stopped the training.")
    threshold: float | None = Field(
        default=None,
        description="`wer_stop_threshold`: validation WER that ends the training; null for other callbacks.",
    )
    wer: float | None = Field(
        default=None, description="Validation WER that reached the threshold; null where none did."
    )


class ReplayFacts(Record):
    """Replay of general speech in a training's batches, from the first step to the last one taken."""

    share: float = Field(description="`replay_share`: share of the rows of every batch that was asked for.")
    available_rows: int = Field(description="Rows of the manifest `replay` that training could use.")
    used_rows: int = Field(description="How many of these were in at least one batch.")
    row_share: float | None = Field(
        description="Share of the rows in the batches that came from `replay`, repetitions counted; null "
        "without a step. Below `share` where `replay` has no row that is padded to the length of a batch."
    )
    seconds_share: float | None = Field(description="The same as a share of the audio, in seconds before padding.")


class LossRow(Record):
    """One logged step of a training; empty cells were not measured at that step."""

    step: int = Field(description="Optimiser step; 0 is before training.")
    epoch: float | None = Field(description="Passes over the training split so far.")
    train_loss: float | None = Field(description="Training loss in nats per token.")
    learning_rate: float | None = Field(description="Learning rate of the optimiser at this step.")
    grad_norm: float | None = Field(description="Norm of the gradient before clipping.")
    validation_loss: float | None = Field(description="Loss on the validation split in nats per token.")


class EvaluationRow(Record):
    """Word errors of one evaluation manifest while a training runs (normaliser `basic`)."""

    step: int = Field(description="Optimiser step; 0 is before training.")
    manifest: str = Field(description="Name of the manifest.")
    rows: int = Field(description="Rows that were transcribed, chosen by a hash of their ids.")
    words: int = Field(description="Reference words.")
    errors: int = Field(description="Word errors.")
    wer: float | None = Field(description="Word error rate (fraction); an empty cell without reference words.")


class ModuleChange(Record):
    """How far training moved one adapted module from its initial values."""

    name: str = Field(description="Name of the module.")
    lora_a: float | None = Field(description="Norm of the change of lora_A, relative to the initial lora_A.")
    delta: float | None = Field(
        description="Norm of scale * (B A - B0 A0), the change of the product since initialisation, relative to the "
        "base "
        "weight."
    )


class TrainFacts(Fact):
    """Settings and outcome of a training; null is not recorded."""

    run: str = Field(description="Name of the run.")
    source: str | None = Field(
        default=None,
        description="Null for a training of this study; else the file next to an external adapter that records its "
        "training (empty where there is none).",
    )
    unreadable: str | None = Field(
        default=None, description="Why the file in `source` could not be read; null where it could."
    )
    settings: dict[str, Any] = Field(default={}, description="Settings: the runner's flags with underscores.")
    base_model_hash: str | None = Field(default=None, description="Hash of the base model.")
    available_rows: int | None = Field(
        default=None, description="Rows of the training split before `data_share` was applied."
    )
    train_rows: int | None = Field(default=None, description="Training rows that were used.")
    val_rows: int | None = Field(default=None, description="Validation rows.")
    trainable_parameters: int | None = Field(default=None, description="Trainable parameters.")
    total_parameters: int | None = Field(default=None, description="All parameters.")
    other_trainable: list[str] = Field(
        default=[], description="Trainable parameters that the adapter's file does not contain."
    )
    fully_trained: list[str] = Field(
        default=[], description="Tensors of the adapter's file besides LoRA matrices: saved modules and biases."
    )
    target_modules: int | None = Field(default=None, description="Number of adapted modules.")
    adapted: dict[str, dict[str, int]] = Field(
        default={}, description="Adapted modules by module group and by last name."
    )
    zero_gradient_modules: list[str] = Field(
        default=[], description="Adapted modules whose gradient was zero at every step."
    )
    planned_steps: int | None = Field(default=None, description="Optimiser steps that were planned.")
    optimizer_steps: int | None = Field(default=None, description="Optimiser steps that were done.")
    epochs: float | None = Field(default=None, description="Passes over the training rows, where a trainer logged it.")
    early_stopping: EarlyStopping | None = Field(
        default=None, description="Early stopping, by `wer_stop_threshold` or as a Trainer logged it; null without it."
    )
    replay: ReplayFacts | None = Field(
        default=None, description="Replay of general speech; null for a training without it."
    )
    learning_rate_peak: float | None = Field(
        default=None, description="Highest learning rate, read from the optimiser."
    )
    learning_rate_last: float | None = Field(default=None, description="Learning rate at the last logged step.")
    learning_rate_trend: RateTrend | None = Field(
        default=None,
        description="`constant`, still `rising` at the last logged step, or `falling` from its highest value; null for "
        "fewer than three logged rates.",
    )
    gradient_norm_median: float | None = Field(default=None, description="Median norm of the gradient before clipping.")
    first_train_loss: float | None = Field(
        default=None, description="Mean of the first tenth of the logged training losses, in nats per token."
    )
    final_train_loss: float | None = Field(
        default=None, description="Mean of the last tenth of the logged training losses, in nats per token."
    )
    non_finite_step: int | None = Field(
        default=None, description="First step with a loss or gradient that is not finite; null without one."
    )
    validation: list[ValidationPoint] = Field(default=[], description="Validation losses.")
    wer_unit: WerUnit | None = Field(
        default=None,
        description="How the Trainer logged `eval_wer`: as a `fraction` or in `percent`; null without one.",
    )
    wer_unit_guessed: bool = Field(
        default=False, description="Whether the logged values (1 to 3) could be of either unit, so that losses decided."
    )
    best_step: int | None = Field(default=None, description="Step of the best validation.")
    worst_as_best: int | None = Field(
        default=None,
        description="Step that the Trainer recorded as its best although its error is the highest "
        "(`greater_is_better` was not false); null elsewhere.",
    )
    weights_step: int | None = Field(
        default=None, description="Step of external weights, from the name of their folder (`checkpoint-N`)."
    )
    best_kept: bool | None = Field(
        default=None, description="Whether the weights that are diagnosed are those of `best_step`."
    )
    changes: list[ModuleChange] = Field(
        default=[], description="How far the weights in `best/` (else `last/`) moved from their initial values."
    )
