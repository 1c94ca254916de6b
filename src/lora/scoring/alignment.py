"""Word and character errors of every utterance, in one alignment pass over the words.

Unit-cost Levenshtein distance over words (rapidfuzz, the aligner inside jiwer). Where several alignments
cost the same, the edits are rapidfuzz's; their number does not depend on it. SCTK aligns with costs 4/3/3 and
can count an error more or less on an utterance. What is asked of words later (segments, word pairs) reads the
edits of this pass. Characters are Unicode code points of the words joined by single blanks, blanks included, as
jiwer counts them; of their alignment only the distance is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from rapidfuzz.distance import Levenshtein

from lora.records.manifests import Utterance
from lora.records.scores import Edit, UtteranceErrors
from lora.records.transcripts import Transcript
from lora.scoring.normalizers import Normalizer

PlainEdit = tuple[int, str | None, str | None]


class Counts(NamedTuple):
    """Of one utterance: hits + substitutions + deletions = reference words."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int


def word_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """The edits that turn the reference into the hypothesis, in the order of the reference."""
    return [Edit(*edit) for edit in _edits(reference, hypothesis)]


def _edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[PlainEdit]:
    """As plain tuples, of which records make named ones: half of the time of an utterance is making objects."""
    if reference == hypothesis:
        return []
    # rapidfuzz compares words by their 64-bit hashes.
    operations = cast("list[tuple[str, int, int]]", Levenshtein.editops(reference, hypothesis).as_list())
    return [
        (at, None if tag == "insert" else reference[at], None if tag == "delete" else hypothesis[heard])
        for tag, at, heard in operations
    ]


def counts_of(words: int, edits: Sequence[PlainEdit]) -> Counts:
    """Of a reference of `words` words; an empty one has insertions only, and nothing is divided."""
    insertions = sum([said is None for _, said, _ in edits])
    deletions = sum([heard is None for _, _, heard in edits])
    substitutions = len(edits) - insertions - deletions
    return Counts(words - substitutions - deletions, substitutions, deletions, insertions)


def count_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    return counts_of(len(reference), _edits(reference, hypothesis))


def utterance_errors(
    rows: Iterable[Utterance], transcripts: Mapping[str, Transcript], normalizer: Normalizer
) -> list[UtteranceErrors]:
    """Errors of every row, in the order of rows, against its own text; `transcripts` holds every id of
    `rows`.
    """
    scored = []
    for row in rows:
        reference = normalizer.words(row.text)
        hypothesis = normalizer.words(transcripts[row.id].hypothesis)
        edits = _edits(reference, hypothesis)
        hits, substitutions, deletions, insertions = counts_of(len(reference), edits)
        characters = " ".join(reference)
        scored.append(
            UtteranceErrors(
                id=row.id,
                duration=row.duration,
                speaker_id=row.speaker_id,
                words=len(reference),
                hits=hits,
                substitutions=substitutions,
                deletions=deletions,
                insertions=insertions,
                characters=len(characters),
                character_errors=Levenshtein.distance(characters, " ".join(hypothesis)) if edits else 0,
                edits=cast("list[Edit]", edits),
            )
        )
    return scored
