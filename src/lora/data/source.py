"""Where a manifest is and how to read it: an entry of `manifests` in config.yaml, or flags of a command."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora.data.column_names import SYNONYMS
from lora.records.base import UserError

AUTO = "auto"
CELLS = frozenset({"csv", "tsv", "common_voice", "audiofolder"})  # formats in which a missing text is an empty cell


@dataclass(frozen=True)
class Source:
    """A manifest as named in the configuration or on a command line.

    Attributes:
        path: file or folder.
        format: name of a format in `lora.data.formats.registry`, or auto (detected from layout and content).
        split: part of a data set that contains several.
        columns: names of our fields to the names of the manifest's columns.
        channel: channel (from 0) to use of every file; None mixes all of them.
        silence: whether an explicitly empty text is a row of silence, as in an evaluation, and not a missing one.
    """

    path: Path
    format: str = AUTO
    split: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    channel: int | None = None
    silence: bool = False

    @classmethod
    def from_config(cls, value: str | Mapping[str, Any]) -> Source:
        """The manifest of a config.yaml entry: a path, or a mapping with the fields of this class as keys.

        Raises:
            UserError: where `format` is not the name of a format.
        """
        if isinstance(value, str):
            return cls(Path(value))
        source = cls(**{**value, "path": Path(value["path"])})
        if source.format not in format_choices():
            close = difflib.get_close_matches(source.format, format_choices(), n=1)
            hint = f"Did you mean {close[0]!r}? " if close else ""
            raise UserError(
                f"format: {source.format!r} is not a manifest format; expected one of {', '.join(format_choices())}. "
                f"{hint}Correct it, or remove the key to detect the format."
            )
        return source

    def flags(self) -> list[str]:
        """Flags of a command that reads this manifest, `--manifest` included; unset fields are left out."""
        flags = ["--manifest", str(self.path)]
        if self.format != AUTO:
            flags += ["--format", self.format]
        if self.split is not None:
            flags += ["--split", self.split]
        if self.columns:
            flags += ["--columns", json.dumps(dict(self.columns), sort_keys=True, ensure_ascii=False)]
        if self.channel is not None:
            flags += ["--channel", str(self.channel)]
        if self.silence:
            flags.append("--silence")
        return flags


def states_silence(format: str) -> bool:
    """Whether an empty text is a statement in a format: in tables of text, a missing one looks the same."""
    return format not in CELLS


def format_choices() -> tuple[str, ...]:
    """Values of `format` in config.yaml and of `--format`."""
    from lora.data.formats.registry import FORMATS  # the formats themselves import Source

    return (AUTO, *FORMATS)


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name a manifest and describe how to read it."""
    parser.add_argument("--manifest", type=Path, required=True, help="file or folder")
    parser.add_argument("--format", choices=format_choices(), default=AUTO, help="default: detected")
    parser.add_argument("--split", default=None, metavar="NAME", help="part of a data set that contains several")
    parser.add_argument(
        "--columns", type=_columns, default={}, metavar="JSON", help="our field names to the manifest's column names"
    )
    parser.add_argument(
        "--channel", type=_channel, default=None, help="channel to use, from 0; default: all channels, mixed down"
    )
    parser.add_argument(
        "--silence", action="store_true", help="an explicitly empty text is a row of silence (evaluation only)"
    )


def source_from_args(args: argparse.Namespace) -> Source:
    """The manifest that the flags of `add_source_arguments` name."""
    return Source(
        path=args.manifest,
        format=args.format,
        split=args.split,
        columns=args.columns,
        channel=args.channel,
        silence=args.silence,
    )


def _channel(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0")
    return int(text)


def _columns(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise argparse.ArgumentTypeError(f'{text!r} is not a mapping such as {{"text": "normalized"}}')
    for name in value:
        if name not in SYNONYMS:
            raise argparse.ArgumentTypeError(f"{name!r} is not a field of a row; expected one of {', '.join(SYNONYMS)}")
    return value
