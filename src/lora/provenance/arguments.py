"""Types of command-line arguments that several commands share."""

from __future__ import annotations

import argparse
from pathlib import Path

from lora.provenance.command_parser import finite_number


def seconds_or_none(text: str) -> float | None:
    """A number of seconds; `none` and `null` mean no limit."""
    return None if text in {"none", "null"} else finite_number(text)


def seconds_or_auto(text: str) -> float | None:
    """A number of seconds; `auto`, `none` and `null` leave the value open."""
    return None if text in {"auto", "none", "null"} else finite_number(text)


def whole_number(text: str) -> int:
    """A whole number of at least 0."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r:.60} is not a whole number of at least 0")
    return int(text)


def name_and_path(text: str) -> tuple[str, Path]:
    """NAME=PATH."""
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)


def add_split_arguments(parser: argparse.ArgumentParser) -> None:
    """How the training manifest is split: `split` of config.yaml."""
    parser.add_argument("--val-fraction", type=float, required=True, help="share of rows for validation")
    parser.add_argument("--by-speaker", action=argparse.BooleanOptionalAction, default=True, help="keep speakers whole")
    parser.add_argument("--split-seed", type=whole_number, required=True)


def add_figure_arguments(parser: argparse.ArgumentParser) -> None:
    """The two files that a plot is written to."""
    parser.add_argument("--png", type=Path, required=True)
    parser.add_argument("--svg", type=Path, required=True)
