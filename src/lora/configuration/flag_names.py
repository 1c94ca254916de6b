"""Names of command-line options: other names that people type for a setting, and suggestions for misspelt ones."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from lora.configuration.mistakes import suggest

# Options as training scripts of PEFT and transformers call them, by the key of the configuration. Commands that the
# workflow runs and records use the name of the key.
ALIASES = {
    "train.rank": "--lora-r",
    "train.alpha": "--lora-alpha",
    "train.dropout": "--lora-dropout",
    "train.target_modules": "--lora-targets",
    "train.gradient_accumulation": "--gradient-accumulation-steps",
    "train.eval_steps": "--eval-interval",
    "train.batch_size": "--train-batch-size",
}


def names_of(path: str, flag: str) -> list[str]:
    """The names of a setting's option: that of the key first, then what else people call it."""
    return [flag, *([ALIASES[path]] if path in ALIASES else [])]


def check_names(parser: argparse.ArgumentParser, given: Sequence[str], elsewhere: dict[str, str]) -> None:
    """End with a usage error at the first option that a command does not have.

    It comes before the parser's own checks: a misspelt required option would be reported as missing.

    Args:
        parser: Parser of the command.
        given: The command's arguments.
        elsewhere: Options that people expect of this command, and what to use instead.
    """
    known = [name for action in parser._actions for name in action.option_strings if name.startswith("--")]
    for argument in given:
        name = argument.partition("=")[0]
        if not name.startswith("--") or name == "--" or any(option.startswith(name) for option in known):
            continue
        if name in elsewhere:
            parser.error(f"{name}: {elsewhere[name]}")
        parser.error(f"unknown option {name}{suggest(name, known)}")
