"""Rows in which another row's text was heard, and the words in which they are told."""

from __future__ import annotations

from collections import Counter

from lora.diagnosis.facts import StudyFacts
from lora.formatting import count, percent
from lora.records.data import MismatchedTranscript, MismatchFacts

ENOUGH_ROWS = 3  # mismatched rows from which on a common offset is no accident


def wrong_rows(facts: StudyFacts, known: MismatchFacts | None) -> list[MismatchedTranscript]:
    """Rows that another row's text fits clearly better than their own."""
    ratio = facts.config.integrity.mismatch_ratio
    return [row for row in known.mismatched if row.other_distance <= ratio * row.own_distance] if known else []


def slip_of(wrong: list[MismatchedTranscript]) -> tuple[int, int] | None:
    """The offset in lines, and how many rows have it, where most have the same."""
    offsets = Counter(w.other_line - w.line for w in wrong if w.line is not None and w.other_line is not None)
    if len(wrong) < ENOUGH_ROWS or not offsets:
        return None
    offset, rows = min(offsets.items(), key=lambda item: (-item[1], abs(item[0]), item[0]))
    return (offset, rows) if 2 * rows > len(wrong) and rows >= ENOUGH_ROWS else None


def where(offset: int) -> str:
    """`1 line further up`."""
    return f"{count(abs(offset), 'line')} {'further down' if offset > 0 else 'further up'}"


def examples(wrong: list[MismatchedTranscript]) -> str:
    """The first two rows with both distances, and how many more there are."""
    told = []
    for row in wrong[:2]:
        own, other = percent(row.own_distance), percent(row.other_distance)
        told.append(
            f"{row_name(row)} differs from its own text in {own} of the characters, from {other_name(row)}'s in {other}"
        )
    more = f"; and {len(wrong) - 2} more" if len(wrong) > 2 else ""
    return "; ".join(told) + more


def row_name(row: MismatchedTranscript) -> str:
    return f"line {row.line}" if row.line is not None else row.id


def other_name(row: MismatchedTranscript) -> str:
    return f"line {row.other_line}" if row.other_line is not None else row.other_id
