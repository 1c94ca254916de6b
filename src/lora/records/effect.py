"""The effect ladder: what an adapter changes, stage by stage, from its files to the text."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from lora.records.base import Fact, Record


class Spread(Record):
    """Smallest, median and largest of some numbers."""

    low: float = Field(description="Smallest number.")
    median: float = Field(description="Median.")
    high: float = Field(description="Largest number.")


class FileStage(Record):
    """Stage 1: the adapter's files, by themselves and against their own configuration."""

    peft_type: str = Field(description="`peft_type` of the adapter's configuration.")
    rank: int = Field(description="`r` of the configuration.")
    alpha: float | None = Field(description="`lora_alpha` of the configuration; null if not recorded.")
    tensors: int = Field(description="Tensors in the adapter's file.")
    finite: bool = Field(description="Whether all values are finite.")
    lora_b: int = Field(description="lora_B matrices in the file.")
    lora_b_zero: int = Field(description="lora_B matrices that are all zero.")
    initialisation: str = Field(description="`init_lora_weights` of the configuration.")
    bias: str = Field(description="`bias` of the configuration.")
    non_finite: list[str] = Field(default=[], description="Tensors with values that are not finite.")
    overflowed: bool = Field(
        default=False,
        description="Whether the values that are not finite are infinities in float16 tensors: overflow on saving.",
    )
    lora_b_zero_by_group: dict[str, int] = Field(
        default={}, description="lora_B matrices that are all zero, by module group of the module."
    )
    lora_b_by_group: dict[str, int] = Field(
        default={}, description="lora_B matrices by module group; empty where not recorded."
    )
    pattern_alphas: list[float] = Field(default=[], description="Values of `alpha_pattern`, sorted.")
    lora_b_norms: Spread | None = Field(default=None, description="Frobenius norms of the finite lora_B matrices.")
    scaling: float | None = Field(default=None, description="Factor of B A by the configuration, patterns aside.")
    variant: str = Field(default="LoRA", description="Variant of LoRA, e.g. `rsLoRA` or `DoRA`.")
    rank_pattern: int = Field(default=0, description="Entries of `rank_pattern`.")
    alpha_pattern: int = Field(default=0, description="Entries of `alpha_pattern`.")
    modules_to_save: list[str] = Field(default=[], description="`modules_to_save` of the configuration.")
    unpaired: list[str] = Field(default=[], description="Modules that have only one of lora_A and lora_B.")
    targets_without_tensors: list[str] = Field(default=[], description="Target names that no tensor belongs to.")
    other_ranks: list[str] = Field(
        default=[], description="Modules whose rank is not the configured one (rank patterns considered)."
    )
    other_tensors: list[str] = Field(default=[], description="Tensors that are no LoRA matrices.")
    undeclared: list[str] = Field(
        default=[],
        description="Those of `other_tensors` that the configuration does not explain (biases, saved modules, trained "
        "tokens): for example a whole model saved as an adapter.",
    )


class LoadStage(Record):
    """Stage 2: the adapter in the model."""

    tensors_in_file: int = Field(description="Tensors in the adapter's file.")
    tensors_loaded: int = Field(description="Tensors that were loaded into the model.")
    missing_keys: list[str] = Field(description="Tensors that the model expects and the file does not have.")
    unexpected_keys: list[str] = Field(description="Tensors of the file that the model does not have.")
    active: bool = Field(description="Whether the adapter is active.")
    base_matches: bool | None = Field(
        description="Whether the adapter was trained on this base model; null if nothing shows it."
    )
    base_trained_on: str | None = Field(description="Base model that the adapter records.")
    modules_by_group: dict[str, int] = Field(description="Adapted modules of each module group.")
    base_evidence: Literal["hash", "revision", "shape"] | None = Field(
        default=None,
        description="What `base_matches` is decided by: the `hash` that our trainer records, else the `revision`, else "
        "the `shape` of tensors (which can only refute: null with `shape` means that all of them fit).",
    )
    shape_mismatches: list[str] = Field(default=[], description="Tensors whose shape is not that of the model's.")
    resized: list[str] = Field(
        default=[],
        description="Those of `shape_mismatches` that are embeddings or output layers with another number of tokens.",
    )
    added_tokens: int | None = Field(
        default=None, description="Tokens that `resized` tensors of the file have more than the model's."
    )
    groups_of_model: dict[str, int] = Field(
        default={}, description="Linear layers of the model in each module group; empty where not recorded."
    )
    missing_random: list[str] = Field(default=[], description="Missing tensors that kept random values.")
    missing_zero: list[str] = Field(default=[], description="Missing tensors that kept zeros.")
    other_tensors_changed: list[str] = Field(
        default=[],
        description="Tensors other than LoRA matrices (biases, saved modules) that differ from the base model's.",
    )
    active_adapters: list[str] = Field(default=[], description="Names of the active adapters.")
    merged_adapters: list[str] = Field(default=[], description="Names of merged adapters.")
    merged_share: float | None = Field(
        default=None,
        description="Estimate of how often the base weights contain this adapter's delta already (0: not, 1: merged "
        "once); null where the delta is too small for an estimate.",
    )
    model_folder_adapter: bool = Field(
        default=False, description="Whether the model's folder contains an adapter of its own."
    )
    batch_norms: int = Field(default=0, description="BatchNorm layers of the model.")


class ModuleDelta(Record):
    """Stage 3: one adapted module. Norms are Frobenius norms."""

    name: str = Field(description="Name of the module.")
    module_group: str = Field(description="`encoder`, `decoder_self`, `cross` (cross-attention) or `mlp`.")
    delta_norm: float | None = Field(description="Norm of the effective delta, scale * B A.")
    base_norm: float | None = Field(description="Norm of the base weight.")
    relative_norm: float | None = Field(description="`delta_norm` / `base_norm`.")
    stable_rank: float | None = Field(description="Squared Frobenius norm over squared spectral norm of the delta.")
    change: float | None = Field(
        default=None,
        description="Norm of what training added to the delta since its initialisation, relative to the base weight; "
        "known where the initialisation leaves the base model unchanged, or from our own trainer.",
    )
    scale: float | None = Field(
        default=None, description="Factor of B A in the model, by alpha and rank of this module; null in a checkpoint."
    )


class CheckpointStage(Record):
    """A tuned checkpoint in place of stages 1 and 2: its tensors against the base model's, by name."""

    base_type: str = Field(description="Model type of the base model.")
    tuned_type: str = Field(description="Model type of the checkpoint.")
    tensors: int = Field(description="Tensors of the checkpoint.")
    shared: int = Field(description="Tensors of the same name and shape in both.")
    changed: list[str] = Field(description="Shared tensors whose values differ.")
    rounded: int = Field(description="Shared tensors that differ only in number format.")
    reshaped: list[str] = Field(description="Tensors of the same name with another shape.")
    only_base: list[str] = Field(description="Tensors of the base model only, copies of tied parameters aside.")
    only_tuned: list[str] = Field(description="Tensors of the checkpoint only, copies of tied parameters aside.")
    unmerged: list[str] = Field(description="Tensors of an adapter that is not merged into the checkpoint.")
    non_finite: list[str] = Field(description="Tensors with values that are not finite.")
    other_files: list[str] = Field(description="Files of tokenizer and feature extractor whose bytes differ.")
    base_tokenizer: bool = Field(
        default=False,
        description="Whether the checkpoint was saved without a tokenizer, so that the base model's is used.",
    )


class LogitsStage(Record):
    """Stage 4: logits with the adapter on and off, teacher-forced on validation rows. Off is the base model."""

    utterances: int = Field(description="Number of utterances.")
    positions: int = Field(description="Label positions.")
    kl_mean: float | None = Field(description="Mean KL(on || off) in nats per position.")
    argmax_flips: float = Field(description="Share of positions whose most likely token differs (0..1).")
    largest_difference: float | None = Field(description="Largest absolute difference of a logit.")
    off_equals_base: bool = Field(
        description="Whether the model with the adapter switched off has exactly the logits of the base model."
    )
    off_differs_by: list[str] = Field(
        default=[],
        description="Why it need not have them: initialisation, biases, saved modules, BatchNorm.",
    )
    not_finite: float = Field(
        default=0.0, description="Share of positions with logits that are not finite, adapter on (0..1)."
    )


class TextStage(Record):
    """Stage 5: hypotheses with the adapter on and off, and adapter calls counted by hooks."""

    utterances: int = Field(description="Number of utterances.")
    changed: int = Field(description="Hypotheses that differ between on and off.")
    adapter_calls: int = Field(description="Calls of adapter modules with the adapter on.")
    adapter_calls_off: int = Field(description="Calls of adapter modules with the adapter off.")
    merged_changed: int | None = Field(
        description="Hypotheses that merging changes in the model's own number format; null if not possible."
    )
    calls_by_module: dict[str, int] = Field(default={}, description="Calls of each adapted module.")
    never_called: list[str] = Field(default=[], description="Adapted modules that were never called.")
    off_changed: int = Field(
        default=0, description="Hypotheses with the adapter off that differ from the base model's."
    )
    repeated: int = Field(default=0, description="Hypotheses that were decoded a second time.")
    repeat_changed: int = Field(default=0, description="Those of them that differ the second time.")
    merged_changed_bf16: int | None = Field(
        default=None,
        description="Hypotheses that merging changes in bfloat16, against the unmerged adapter in bfloat16; null if "
        "not "
        "possible.",
    )
    generates: bool = Field(
        default=True, description="Whether hypotheses come from `generate`; false for greedy CTC decoding."
    )

    @property
    def inside(self) -> str:
        """Where the adapter was called, for a sentence."""
        return "inside `generate`" if self.generates else "in greedy CTC decoding (the family has no `generate`)"


class EffectFacts(Fact):
    """Effect ladder of an adapter, or of a tuned checkpoint. A stage that could not be measured is null.

    A tuned checkpoint has `checkpoint` and `weights` (of all matrices) and none of the other stages.
    """

    run: str = Field(description="Name of the run.")
    remedy: str | None = Field(
        default=None, description="What helps against an impossible fact, where it is not the remedy of its code."
    )
    adapter: str | None = Field(default=None, description="Path of the adapter; null for a checkpoint.")
    file: FileStage | None = Field(default=None, description="Stage 1: files.")
    load: LoadStage | None = Field(default=None, description="Stage 2: loading.")
    checkpoint: CheckpointStage | None = Field(default=None, description="Tensors of a tuned checkpoint.")
    weights: list[ModuleDelta] | None = Field(default=None, description="Stage 3: weights, one entry per module.")
    median_relative_norm: float | None = Field(
        default=None, description="Median of `relative_norm`; of a checkpoint, over the matrices that changed."
    )
    median_change: float | None = Field(
        default=None, description="Median of `change`; of a checkpoint, over the matrices that changed."
    )
    logits: LogitsStage | None = Field(default=None, description="Stage 4: logits.")
    text: TextStage | None = Field(default=None, description="Stage 5: text.")
