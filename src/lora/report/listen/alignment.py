"""Hypotheses of several runs in one table, aligned to the same reference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lora.records.scores import Edit


class Column(NamedTuple):
    """One column of an alignment.

    Attributes:
        reference: Word of the reference; None where only hypotheses have a word.
        hypotheses: Word of each run; None where it has none.
    """

    reference: str | None
    hypotheses: tuple[str | None, ...]


def aligned(reference: Sequence[str], runs: Sequence[Sequence[Edit]]) -> list[Column]:
    """The columns of an alignment of one reference with the hypotheses of all runs.

    Inserted words of different runs share a column when they are before the same reference word.

    Args:
        reference: Words of the reference.
        runs: Edits of each run against this reference, in its order.
    """
    changed: list[dict[int, str | None]] = []
    inserted: list[dict[int, list[str]]] = []
    for edits in runs:
        changed.append({edit.at: edit.hypothesis for edit in edits if edit.reference is not None})
        before: dict[int, list[str]] = {}
        for edit in edits:
            if edit.reference is None and edit.hypothesis is not None:
                before.setdefault(edit.at, []).append(edit.hypothesis)
        inserted.append(before)
    columns = []
    for at in range(len(reference) + 1):
        words = [before.get(at, []) for before in inserted]
        for place in range(max((len(own) for own in words), default=0)):
            columns.append(Column(None, tuple(own[place] if place < len(own) else None for own in words)))
        if at < len(reference):
            word = reference[at]
            columns.append(Column(word, tuple(own.get(at, word) for own in changed)))
    return columns
