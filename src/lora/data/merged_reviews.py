"""Merge the judgements of several listeners: who agree count once, who disagree leave a row undecided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from lora.data.review_files import Judged
from lora.records.reviews import ReviewedRow

Words = Callable[[str], Sequence[str]]


def merge_reviews(judged: Iterable[Judged], words: Words) -> list[ReviewedRow]:
    """One judgement per row, in the order in which rows appear first.

    Listeners agree if they gave the same judgement. A corrected text counts unless two listeners wrote different words.

    Args:
        judged: usable lines of all files, at most one per file and row.
        words: splits a text into words, by which corrected texts are compared.
    """
    by_row: dict[tuple[str, str], list[Judged]] = {}
    for entry in judged:
        by_row.setdefault(entry.row, []).append(entry)
    return [_merged(entries, words) for entries in by_row.values()]


def _merged(entries: Sequence[Judged], words: Words) -> ReviewedRow:
    first = entries[0]
    agree = len({entry.judgement for entry in entries}) == 1
    texts = [entry.corrected_text for entry in entries if entry.corrected_text is not None]
    texts_differ = agree and len({tuple(words(text)) for text in texts}) > 1
    return ReviewedRow(
        manifest=first.manifest,
        id=first.id,
        judgement=first.judgement if agree else "cannot_tell",
        corrected_text=texts[0] if agree and texts and not texts_differ else None,
        sample=any(entry.sample for entry in entries),
        notes=[entry.note for entry in entries if entry.note],
        places=[entry.place for entry in entries],
        disagreement=[] if agree else [entry.judgement for entry in entries],
        texts_differ=texts_differ,
    )
