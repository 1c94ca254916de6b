"""The option `--strip`: which markup is removed from transcripts."""

from __future__ import annotations

import argparse

from lora.scoring.markup import REMOVABLE


def add_strip_argument(parser: argparse.ArgumentParser, texts: str) -> None:
    """Add `--strip`; `texts` names the transcripts in its help."""
    parser.add_argument(
        "--strip",
        nargs="+",
        choices=("all", *REMOVABLE),
        default=[],
        metavar="KIND",
        help=f"markup to remove from {texts}: all, {', '.join(REMOVABLE)}",
    )
