"""How far off a study is where a cause says "not enough": how many times as many rows it needs.

The unit is the same for training and evaluation. A detectable difference falls with the square root of the rows, so a
set that shows 1.73 points where 1 is asked needs 3 times its rows, and 7 training rows of 200 needed are 29 times too
few: the training data come first.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from lora.diagnosis.causes import RANK
from lora.records.verdict import Cause


def shortage(c: Cause) -> float | None:
    """Rows needed over rows present; infinite where nothing can be shown, None for causes of another kind."""
    details = c.details
    if c.code == "headroom.underpowered":
        detectable = details.get("detectable")
        return math.inf if detectable is None else (detectable / details["target"]) ** 2
    if c.code in {"data.too_few_samples", "data.filter_starves_training"} and "rows" in details:
        return details["needed"] / details["rows"] if details["rows"] else math.inf
    return None


def place_by_shortage(c: Cause, causes: Sequence[Cause]) -> int:
    """Rank of a cause: that of the table, but never before a shortage among `causes` that is further off."""
    own = shortage(c)
    if own is None:
        return RANK[c.code]
    further = [RANK[other.code] for other in causes if (size := shortage(other)) is not None and size > own]
    return max([RANK[c.code], *further])
