"""Rows in which another row's text was transcribed: which ones count, and whether a common offset shifts them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lora.diagnosis.facts import StudyFacts
from lora.diagnosis.findings import MOST_NAMED
from lora.records.integrity import MismatchedTranscript, MismatchFacts

ENOUGH_ROWS = 3  # mismatched rows from which a common offset is no accident


def mismatched_rows(facts: StudyFacts, compared: MismatchFacts | None) -> list[MismatchedTranscript]:
    """Rows that another row's text fits clearly better than their own."""
    ratio = facts.config.integrity.mismatch_ratio
    return [row for row in compared.mismatched if row.other_distance <= ratio * row.own_distance] if compared else []


def common_offset(rows: list[MismatchedTranscript]) -> tuple[int, int] | None:
    """The offset in lines that most rows share, and the number of these rows; None where most share none."""
    offsets = Counter(w.other_line - w.line for w in rows if w.line is not None and w.other_line is not None)
    if len(rows) < ENOUGH_ROWS or not offsets:
        return None
    offset, shifted = min(offsets.items(), key=lambda item: (-item[1], abs(item[0]), item[0]))
    return (offset, shifted) if 2 * shifted > len(rows) and shifted >= ENOUGH_ROWS else None


def mismatch_details(rows: list[MismatchedTranscript]) -> dict[str, Any]:
    """`details` of a check on mismatched rows: how many, the first of them, and their common offset."""
    common = common_offset(rows)
    lines = [row.line for row in rows if row.line is not None]
    return {
        "mismatched": len(rows),
        "first": [
            {
                "row": f"line {row.line}" if row.line is not None else row.id,
                "own_distance": row.own_distance,
                "other": f"line {row.other_line}" if row.other_line is not None else row.other_id,
                "other_distance": row.other_distance,
            }
            for row in rows[:MOST_NAMED]
        ],
        "offset": None if common is None else common[0],
        "shifted": None if common is None else common[1],
        "first_line": min(lines, default=None),
        "last_line": max(lines, default=None),
    }
