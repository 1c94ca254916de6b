"""Facts of the effect ladder, stage by stage, from an adapter's file to its texts."""

from __future__ import annotations

from typing import Literal

from lora.records.base import Fact, Record


class Spread(Record):
    """Smallest, median and largest of some numbers."""

    low: float
    median: float
    high: float


class FileStage(Record):
    """Rung 1, the adapter's files: tensors readable and finite, and how many of its lora_B matrices are all zero.

    `alpha` is null where the adapter's configuration tells none. `lora_b_norms` are Frobenius norms of the finite
    lora_B matrices; `scaling` is what the configuration multiplies B A by (patterns aside). What the configuration
    alone promises: `unpaired` names modules that have only one of lora_A and lora_B, `targets_without_tensors` target
    names no tensor belongs to, `other_ranks` modules whose rank is not the configured one (rank patterns obeyed).
    `other_tensors` are no LoRA tensors; `undeclared` those of them that neither bias nor saved modules nor trained
    tokens of the configuration explain (a whole model saved as an adapter, for one).
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
    non_finite: list[str] = []
    lora_b_norms: Spread | None = None
    scaling: float | None = None
    variant: str = "LoRA"
    rank_pattern: int = 0
    alpha_pattern: int = 0
    modules_to_save: list[str] = []
    unpaired: list[str] = []
    targets_without_tensors: list[str] = []
    other_ranks: list[str] = []
    other_tensors: list[str] = []
    undeclared: list[str] = []


class LoadStage(Record):
    """Rung 2, the adapter in the model: tensors of the file found in the model, and the parts of the model it adapts.

    `base_matches` is null where nothing tells the base model the adapter was trained on; `base_evidence` says what
    does: the `hash` our trainer recorded, else commits of one `revision`, else the `shape` of tensors (which can only
    refute, so that `shape` with null means that all of them fit). `shape_mismatches` have another shape than their place.
    Missing tensors keep what the model gave them: `missing_random` random values, `missing_zero` zeros.
    `other_tensors_changed` are tensors other than LoRA matrices (biases, modules saved whole) that differ from the base's.
    `merged_share` estimates how often the base weights hold this adapter's delta already (0: not, 1: merged in once);
    null where the delta is too small to tell. `model_folder_adapter`: the model's folder holds an adapter of its own.
    """

    tensors_in_file: int
    tensors_loaded: int
    missing_keys: list[str]
    unexpected_keys: list[str]
    active: bool
    base_matches: bool | None
    base_trained_on: str | None
    modules_by_group: dict[str, int]
    base_evidence: Literal["hash", "revision", "shape"] | None = None
    shape_mismatches: list[str] = []
    missing_random: list[str] = []
    missing_zero: list[str] = []
    other_tensors_changed: list[str] = []
    active_adapters: list[str] = []
    merged_adapters: list[str] = []
    merged_share: float | None = None
    model_folder_adapter: bool = False
    batch_norms: int = 0


class ModuleDelta(Record):
    """Rung 3, one adapted module: Frobenius norms of the effective delta scale*BA and of the base weight.

    `change` is the norm of what training added to the delta since its initialisation, relative to the base weight. It
    is the delta itself where the initialisation computes the base model; else it is known to our trainer alone.
    """

    name: str
    module_group: str
    delta_norm: float | None
    base_norm: float | None
    relative_norm: float | None
    stable_rank: float | None
    change: float | None = None


class CheckpointStage(Record):
    """A tuned checkpoint in the place of stages 1 and 2: its tensors against the base model's, by name.

    `shared` have one name and shape on both sides; `changed` of them differ in value, `rounded` only in number format.
    `reshaped` have one name and two shapes; `only_base` and `only_tuned` leave out copies of tied parameters.
    `unmerged` are parts of an adapter inside the checkpoint. `other_files` are files of tokenizer and feature extractor
    whose bytes differ.
    """

    base_type: str
    tuned_type: str
    tensors: int
    shared: int
    changed: list[str]
    rounded: int
    reshaped: list[str]
    only_base: list[str]
    only_tuned: list[str]
    unmerged: list[str]
    non_finite: list[str]
    other_files: list[str]


class LogitsStage(Record):
    """Rung 4, logits with the adapter on against off, teacher-forced on validation rows, same call path.

    `kl_mean` is the mean KL(on || off) in nats a position; `argmax_flips` the share of positions whose most likely
    token differs. "Off" is the freshly loaded base. `off_equals_base`: largest absolute difference between the adapter
    switched off and that base is exactly 0 at every labelled position; `off_differs_by` says why it need not be
    (initialisation, biases, modules saved whole, BatchNorm). `not_finite` is the share of positions with the adapter on
    whose logits hold values that are not finite.
    """

    utterances: int
    positions: int
    kl_mean: float | None
    argmax_flips: float
    largest_difference: float | None
    off_equals_base: bool
    off_differs_by: list[str] = []
    not_finite: float = 0.0


class TextStage(Record):
    """Rung 5, texts with the adapter on against off: hypotheses changed, and adapter calls counted by hook.

    `generates`: texts come from `generate`; else from the best token of every frame (greedy CTC decoding).
    `never_called` names adapted modules whose adapter took no part; `off_changed` texts of the adapter switched off
    that differ from the base's; `repeat_changed` texts (of `repeated`) that a second, equal call changed.
    `merged_changed` counts texts that merging changes in the model's own number format, `merged_changed_bf16` those
    that merging in bfloat16 changes against the unmerged adapter in bfloat16; null where it could not be tried.
    """

    utterances: int
    changed: int
    adapter_calls: int
    adapter_calls_off: int
    merged_changed: int | None
    calls_by_module: dict[str, int] = {}
    never_called: list[str] = []
    off_changed: int = 0
    repeated: int = 0
    repeat_changed: int = 0
    merged_changed_bf16: int | None = None
    generates: bool = True

    @property
    def inside(self) -> str:
        """Where the adapter was called, for a sentence."""
        return "inside `generate`" if self.generates else "in greedy CTC decoding (the family has no `generate`)"


class EffectFacts(Fact):
    """`results/effect/<run>.json`: the stages of the ladder; null is a stage that could not be climbed.

    `median_change` is the median of the modules' `change`. A tuned checkpoint has `checkpoint` and `weights` (of
    all matrices) and none of the other stages; its medians are over the matrices that changed.
    """

    run: str
    adapter: str | None = None
    file: FileStage | None = None
    load: LoadStage | None = None
    checkpoint: CheckpointStage | None = None
    weights: list[ModuleDelta] | None = None
    median_relative_norm: float | None = None
    median_change: float | None = None
    logits: LogitsStage | None = None
    text: TextStage | None = None
