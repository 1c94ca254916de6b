"""Names of command-line options: other names that people type for a setting."""

from __future__ import annotations

# Options as training scripts of PEFT, transformers and NeMo call them, by the key of the configuration. Commands that
# the workflow runs and records use the name of the key.
ALIASES = {
    "train.learning_rate": ("--lr",),
    "train.scheduler": ("--lr-scheduler-type",),
    "train.rank": ("--lora-r", "--lora-rank"),
    "train.alpha": ("--lora-alpha",),
    "train.dropout": ("--lora-dropout",),
    "train.target_modules": ("--lora-targets",),
    "train.gradient_accumulation": ("--gradient-accumulation-steps",),
    "train.eval_steps": ("--eval-interval",),
    "train.batch_size": ("--train-batch-size", "--per-device-train-batch-size"),
}


def names_of(path: str, flag: str) -> list[str]:
    """The names of a setting's option: that of the key first, then what else people call it."""
    return [flag, *ALIASES.get(path, ())]
