"""Where missing training rows went: to validation, beyond the duration limit, or they never existed.

Nearer than new recordings are the rows that a key of the configuration keeps out of training.
"""

from __future__ import annotations

from typing import Any

from lora.diagnosis.facts import TRAIN, StudyFacts
from lora.records.durations import SplitOption

FAR_OFF = 1.5  # validation rows over those asked for, from which whole speakers are named as the reason
USUAL_VALIDATION = 0.1  # share of rows that is usual for validation, and the default of `split.val_fraction`


def rows_in_validation(facts: StudyFacts, option: SplitOption | None) -> dict[str, Any] | None:
    """Why validation has more rows than the study can spare, and the key that changes it; None where it is not that.

    Returns:
        `key`: `by_speaker` where whole speakers take far more than `split.val_fraction` asks for, `val_fraction` where
        that share is larger than usual; with the training rows that the other setting leaves (`leaves`).
    """
    rules = facts.config.split
    needed = facts.config.durations.min_train_samples
    if option is None or not option.rows:
        return None
    asked = _asked_rows(option.rows, rules.val_fraction)
    details = {
        "rows": option.val_rows,
        "share": option.val_rows / option.rows,
        "asked": rules.val_fraction,
        "speakers": option.speakers,
        "needed": needed,
    }
    if rules.by_speaker and option.speakers and option.val_rows > FAR_OFF * asked:
        return {"key": "by_speaker", **details, "leaves": option.rows - asked}
    usual = option.rows - _asked_rows(option.rows, USUAL_VALIDATION)
    if rules.val_fraction > USUAL_VALIDATION and usual > option.train_rows:
        return {"key": "val_fraction", **details, "usual": USUAL_VALIDATION, "leaves": usual}
    return None


def rows_beyond_limit(facts: StudyFacts, option: SplitOption | None) -> dict[str, Any] | None:
    """Rows of the training manifest longer than the largest limit that was tried; None without any."""
    lengths = [m.manifest_duration for m in facts.audio.get(TRAIN, [])]
    rows = facts.rows.get(TRAIN, len(lengths))
    if option is None or rows <= option.rows:
        return None
    window = facts.decision.model_window_seconds if facts.decision else None
    longest = max(lengths, default=None)
    return {"rows": rows - option.rows, "of": rows, "limit": option.threshold, "longest": longest, "window": window}


def _asked_rows(rows: int, share: float) -> int:
    """Validation rows that a share of `rows` rows asks for, at least one."""
    return max(1, round(share * rows))
