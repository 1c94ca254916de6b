"""Where a manifest lies and how it is to be read: an entry of `manifests` in config.yaml, or flags of a command."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lora.data.row_fields import SYNONYMS

FORMATS = (
    "jsonl", "csv", "tsv", "nemo", "lhotse", "common_voice",
    "kaldi", "librispeech", "audiofolder", "datasets", "parquet",
)  # fmt: skip
AUTO = "auto"


@dataclass(frozen=True)
class Source:
    """A manifest as a person names it.

    `format` is one of `FORMATS` or auto (found by layout and content). `split` names a part of a data set that holds
    several. `columns` maps our names of fields to theirs. `channel` (from 0) is heard of every file; null mixes all.
    """

    path: Path
    format: str = AUTO
    split: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    channel: int | None = None

    @classmethod
    def from_config(cls, value: str | Mapping[str, Any]) -> Source:
        """From a path, or a mapping whose keys are the fields, as the schema of config.yaml admits it."""
        if isinstance(value, str):
            return cls(Path(value))
        return cls(**{**value, "path": Path(value["path"])})

    def flags(self) -> list[str]:
        """Flags of a command that reads this manifest, `--manifest` included; what is not set is left out."""
        flags = ["--manifest", str(self.path)]
        if self.format != AUTO:
            flags += ["--format", self.format]
        if self.split is not None:
            flags += ["--split", self.split]
        if self.columns:
            flags += ["--columns", json.dumps(dict(self.columns), sort_keys=True, ensure_ascii=False)]
        if self.channel is not None:
            flags += ["--channel", str(self.channel)]
        return flags


def add_source_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of a command that reads a person's own manifest."""
    parser.add_argument("--manifest", type=Path, required=True, help="file or folder")
    parser.add_argument("--format", choices=(AUTO, *FORMATS), default=AUTO, help="default: by layout and content")
    parser.add_argument("--split", default=None, metavar="NAME", help="part of a data set that holds several")
    parser.add_argument("--columns", type=_columns, default={}, metavar="JSON", help="our names of fields to theirs")
    parser.add_argument(
        "--channel", type=_channel, default=None, help="channel to hear, from 0; default: all, mixed down"
    )


def source_from_args(args: argparse.Namespace) -> Source:
    """The manifest that `add_source_arguments` asked for."""
    return Source(args.manifest, args.format, args.split, args.columns, args.channel)


def _channel(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0")
    return int(text)


def _columns(text: str) -> dict[str, str]:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value.values()):
        raise argparse.ArgumentTypeError(f'{text!r} is no mapping such as {{"text": "normalized"}}')
    for name in value:
        if name not in SYNONYMS:
            raise argparse.ArgumentTypeError(f"{name!r} is no field of a row; there are: {', '.join(SYNONYMS)}")
    return value
