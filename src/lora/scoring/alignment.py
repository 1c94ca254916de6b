"""Word errors of every utterance, in one alignment pass.

Unit-cost Levenshtein distance over words (rapidfuzz, the aligner inside jiwer). Where several alignments
cost the same, the split into substitutions, deletions and insertions is rapidfuzz's; their sum does not
depend on it. SCTK aligns with costs 4/3/3 and can count an error more or less on an utterance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from lora.records.scores import UtteranceErrors
from lora.records.utterances import Transcript, Utterance
from lora.scoring.normalizers import Normalizer


class Counts(NamedTuple):
    """Of one utterance: hits + substitutions + deletions = reference words."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int


def count_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    """An empty reference makes every word of the hypothesis an insertion; nothing is divided."""
    if reference == hypothesis:
        return Counts(len(reference), 0, 0, 0)
    numbers: dict[str, int] = {}
    first = [numbers.setdefault(word, len(numbers)) for word in reference]
    second = [numbers.setdefault(word, len(numbers)) for word in hypothesis]
    substitutions = deletions = insertions = 0
    for operation in Levenshtein.editops(first, second):
        if operation.tag == "replace":
            substitutions += 1
        elif operation.tag == "delete":
            deletions += 1
        else:
            insertions += 1
    return Counts(len(reference) - substitutions - deletions, substitutions, deletions, insertions)


def utterance_errors(
    rows: Iterable[Utterance], transcripts: Mapping[str, Transcript], normalizer: Normalizer
) -> list[UtteranceErrors]:
    """Errors of every row, in the order of rows, against its own text; `transcripts` holds every id of
    `rows`.
    """
    scored = []
    for row in rows:
        reference = normalizer.words(row.text)
        counts = count_errors(reference, normalizer.words(transcripts[row.id].hypothesis))
        scored.append(
            UtteranceErrors(
                id=row.id,
                duration=row.duration,
                speaker_id=row.speaker_id,
                words=len(reference),
                **counts._asdict(),
            )
        )
    return scored
