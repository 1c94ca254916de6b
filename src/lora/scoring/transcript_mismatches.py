"""Rows whose audio says the text of another row of their manifest, by what the base model heard.

A hard accent or a weak model makes a hypothesis unlike its own text, never like another row's: so a text is called
mismatched only where another one fits. Only hypotheses unlike their own text are compared with the others, and of those
only with a short list.

Texts that share pieces with a query: a short list for comparisons that cost too much with every text.

An inverted index over character q-grams, most of which a few edits leave whole (Ukkonen 1992). A query looks up its
rarest ones only, weighted by inverse document frequency (Spaerck Jones 1972).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio

from lora.records.integrity import MismatchedTranscript, MismatchFacts
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript

Words = Callable[[str], Sequence[str]]

# Distances are shares of the characters of the longer text. On the embedded study's accents (37 % WER) own texts lie
# at 0.2 (95 %: 0.47), texts of other rows at 0.76 (10 %: 0.7).
UNLIKE = 0.5  # from which on a hypothesis is unlike its own text
FITS = 0.5  # up to which another text can fit
# Similarity of the shorter text to its best place in the longer one from which on a hypothesis is a piece of its own
# text, or holds it: cut short, looping, or a text of a part of the audio. Unrelated texts reach 0.72 in 1 % of pairs.
PART = 0.75
LEAST_CHARACTERS = 10  # of a hypothesis; shorter ones resemble too many texts
COMPARED_WITH = 25  # texts on the short list


@dataclass(frozen=True)
class _Heard:
    row: Utterance
    hypothesis: str
    own: str
    distance: float

    @property
    def suspicious(self) -> bool:
        return self.distance >= UNLIKE and partial_ratio(self.hypothesis, self.own) < 100 * PART


def mismatches(
    name: str, rows: Sequence[Utterance], transcripts: Mapping[str, Transcript], words: Words
) -> MismatchFacts:
    """Facts of manifest `name`; `rows` are all of it, `transcripts` what was heard of some or all of them.

    Texts are compared as words of the caller's normaliser; rows of the same text are one text. A text is there for no
    more rows than carry it without being heard as such: what the model says beyond that, it says by itself.
    """
    texts = {row.id: " ".join(words(row.text)) for row in rows}
    carriers: defaultdict[str, list[Utterance]] = defaultdict(list)
    for row in rows:
        if texts[row.id]:
            carriers[texts[row.id]].append(row)
    said = {row.id: " ".join(words(transcripts[row.id].hypothesis)) for row in rows if row.id in transcripts}
    heard = [
        _Heard(row, said[row.id], texts[row.id], Levenshtein.normalized_distance(said[row.id], texts[row.id]))
        for row in rows
        if len(said.get(row.id, "")) >= LEAST_CHARACTERS and texts[row.id]
    ]
    suspects = [entry for entry in heard if entry.suspicious]
    claims, comparisons = _best_others(suspects, list(carriers) if suspects else [])
    at_home = Counter(entry.own for entry in heard if not entry.suspicious)
    wanted = Counter(text for text, _ in claims.values())
    free = {text: len(carriers[text]) - at_home[text] for text in wanted}
    mismatched = [
        _misplaced(entry, carriers[claims[entry.row.id][0]], claims[entry.row.id][1])
        for entry in suspects
        if entry.row.id in claims and wanted[claims[entry.row.id][0]] <= free[claims[entry.row.id][0]]
    ]
    return MismatchFacts(
        manifest=name,
        rows=len(rows),
        compared=len(heard),
        too_short=len(said) - len(heard),
        suspects=len(suspects),
        generic_hypotheses=len(claims) - len(mismatched),
        comparisons=len(heard) + comparisons,
        mismatched=mismatched,
    )


def _best_others(suspects: Sequence[_Heard], texts: Sequence[str]) -> tuple[dict[str, tuple[str, float]], int]:
    """By row id, the closest other text that can fit, with its distance; and the number of pairs compared."""
    shortlist = Shortlist(texts)
    claims: dict[str, tuple[str, float]] = {}
    comparisons = 0
    for entry in suspects:
        others = [texts[i] for i in shortlist.near(entry.hypothesis, COMPARED_WITH) if texts[i] != entry.own]
        comparisons += len(others)
        distances = [(Levenshtein.normalized_distance(entry.hypothesis, other), other) for other in others]
        distance, text = min(distances, default=(1.0, ""))
        if distance <= FITS and distance < entry.distance:
            claims[entry.row.id] = (text, distance)
    return claims, comparisons


def _misplaced(entry: _Heard, carriers: Sequence[Utterance], distance: float) -> MismatchedTranscript:
    here = entry.row.line or 0
    nearest = min(carriers, key=lambda row: (abs((row.line or 0) - here), row.line or 0, row.id))
    return MismatchedTranscript(
        line=entry.row.line,
        id=entry.row.id,
        own_distance=round(entry.distance, 4),
        other_line=nearest.line,
        other_id=nearest.id,
        other_distance=round(distance, 4),
    )


LENGTH = 4  # characters of a piece, blanks included
LOOKED_UP = 24  # pieces of a query, its rarest


class Shortlist:
    """Index over `texts`; building is linear in their characters, a query in the texts that share its rare pieces."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._size = len(texts)
        self._holders: defaultdict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(texts):
            for piece in _pieces(text):
                self._holders[piece].append(number)

    def near(self, query: str, most: int) -> list[int]:
        """Numbers of at most `most` texts that share the most weight of pieces with `query`, best first."""
        known = sorted((len(self._holders[p]), p) for p in _pieces(query) if p in self._holders)[:LOOKED_UP]
        if not known:
            return []
        counts, pieces = zip(*known, strict=True)
        weights = np.repeat([math.log(1 + self._size / count) for count in counts], counts)
        numbers = np.concatenate([self._holders[piece] for piece in pieces])
        score = np.round(np.bincount(numbers, weights=weights), 9)
        shared = np.nonzero(score)[0]
        best = shared[np.lexsort((shared, -score[shared]))][:most]
        return [int(number) for number in best]


def _pieces(text: str) -> set[str]:
    return {text[i : i + LENGTH] for i in range(max(1, len(text) - LENGTH + 1))}
