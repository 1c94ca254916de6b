"""Lists of names of which details contain only the first few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lora.formatting import listed

Details = Mapping[str, Any]


def named(names: Sequence[object], total: int, most: int = 3) -> str:
    """The first names and how many more there are: `3, 9 and 4 more`."""
    shown = [str(name) for name in names[:most]]
    rest = total - len(shown)
    return f"{', '.join(shown)} and {rest:,} more" if rest and shown else listed(shown)


def listed_examples(names: Details, most: int = 3) -> str:
    """The same for details that `lora.diagnosis.findings.examples` returned."""
    return named(names["first"], names["count"], most)
