"""Word and character errors of every utterance, from one alignment of its words.

Words are aligned with unit-cost Levenshtein distance by rapidfuzz, the aligner inside jiwer, called directly: with
jiwer.process_words the alignment of 20,000 utterances took 6.4 times as long (0.23 s against 0.036 s) and their scoring
as a whole 1.5 to 2.4 times, because it builds strings and an AlignmentChunk for every run of words. A test compares the
edits with jiwer's on 10,000 random pairs.

Where several alignments cost the same, the edits are those that rapidfuzz chooses; their number is the same for all.
SCTK aligns with costs 4/3/3 and may count an error more or less in an utterance. Later analyses (segments, word pairs)
read these edits and do not align again. Characters are Unicode code points of the words joined by single spaces, spaces
included, as jiwer counts them; only their distance is computed.
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
    """Counts of one utterance: hits + substitutions + deletions = reference words."""

    hits: int
    substitutions: int
    deletions: int
    insertions: int


def word_edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[Edit]:
    """The edits that turn the reference into the hypothesis, in the order of the reference."""
    return [Edit(*edit) for edit in _edits(reference, hypothesis)]


def _edits(reference: Sequence[str], hypothesis: Sequence[str]) -> list[PlainEdit]:
    """Edits as plain tuples, which records convert: creating objects takes half of the time of an utterance."""
    if reference == hypothesis:
        return []
    # rapidfuzz compares words by their 64-bit hashes.
    operations = cast("list[tuple[str, int, int]]", Levenshtein.editops(reference, hypothesis).as_list())
    return [
        (at, None if tag == "insert" else reference[at], None if tag == "delete" else hypothesis[hypothesis_word])
        for tag, at, hypothesis_word in operations
    ]


def counts_of(words: int, edits: Sequence[PlainEdit]) -> Counts:
    """Counts for a reference of `words` words; an empty one has insertions only."""
    insertions = sum([reference_word is None for _, reference_word, _ in edits])
    deletions = sum([hypothesis_word is None for _, _, hypothesis_word in edits])
    substitutions = len(edits) - insertions - deletions
    return Counts(words - substitutions - deletions, substitutions, deletions, insertions)


def count_errors(reference: Sequence[str], hypothesis: Sequence[str]) -> Counts:
    return counts_of(len(reference), _edits(reference, hypothesis))


def utterance_errors(
    rows: Iterable[Utterance], transcripts: Mapping[str, Transcript], normalizer: Normalizer
) -> list[UtteranceErrors]:
    """Errors of every row against its text, in the order of rows.

    Args:
        rows: rows with their references.
        transcripts: hypotheses by row id; every row needs one.
        normalizer: applied to both sides.
    """
    scored = []
    for row in rows:
        hypothesis = normalizer.words(transcripts[row.id].hypothesis)
        text = normalizer.reference(row.text, hypothesis)
        reference = normalizer.words(text)
        edits = _edits(reference, hypothesis)
        hits, substitutions, deletions, insertions = counts_of(len(reference), edits)
        characters = normalizer.text(text)
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
                character_errors=Levenshtein.distance(characters, normalizer.text(transcripts[row.id].hypothesis))
                if edits
                else 0,
                edits=cast("list[Edit]", edits),
            )
        )
    return scored
