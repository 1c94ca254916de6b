"""Mismatched transcripts: rows whose audio has the text of another row, according to the base model's hypotheses.

A difficult accent or a weak model makes a hypothesis unlike its own text, but not like the text of another row. A
transcript is therefore called mismatched only where another text fits. Hypotheses unlike their own text are compared
with all other texts or, where there are many, with a short list of them, from an inverted index over character q-grams,
most of which survive a few edits (Ukkonen 1992); a query looks up its rarest q-grams, weighted by inverse document
frequency (Spaerck Jones 1972).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import partial_ratio

from lora.records.integrity import MismatchedTranscript, MismatchFacts
from lora.records.manifests import Utterance
from lora.records.transcripts import Transcript
from lora.scoring.alternations import first_alternative
from lora.scoring.normalizers import basic_texts

# Distances are shares of the characters of the longer text. On the embedded study's accents (37 % WER) the median
# distance to the own text is 0.2 (95 %: 0.47), to texts of other rows 0.76 (10 %: 0.7).
UNLIKE = 0.5  # distance from which a hypothesis is unlike its own text
FITS = 0.5  # distance up to which another text can fit
# Similarity of the shorter text to the best place in the longer one from which a hypothesis is a part of its own text
# or contains it: truncated, looping, or a text of a part of the audio. Unrelated texts reach 0.72 in 1 % of pairs.
PART = 0.75
# Of a long text, the beginning, the middle and the end are looked for: the time of the search grows with the third
# power of the length, and is 2 s at 5,000 characters.
LONG_TEXT, PIECE = 1_000, 300  # characters
MIN_CHARACTERS = 10  # of a hypothesis; shorter ones resemble too many texts
MOST_LINES = 10  # of suspects that the facts name
MOST_PAIRS = 2_000_000  # of suspects and texts, up to which all are compared, sentences in 1 to 3 s
COMPARED_WITH = 25  # texts on the short list
NORMALIZED_AT_ONCE = 10_000  # texts


@dataclass(frozen=True)
class _Suspect:
    """A row whose hypothesis is unlike its own text."""

    row: Utterance
    hypothesis: str
    own: str
    distance: float


def mismatches(name: str, rows: Sequence[Utterance], transcripts: Mapping[str, Transcript]) -> MismatchFacts:
    """Find the mismatched transcripts of a manifest. Texts are compared without case and punctuation.

    A text explains at most as many mismatches as there are rows with this text whose own hypothesis does not match it.
    Where more hypotheses resemble it, the model writes it by itself (a generic hypothesis), and none counts, except for
    rows that take the same audio as a row with this text: they have its speech, even if that row's text is right.

    Args:
        name: the manifest.
        rows: all of its rows; rows with the same text count as one text.
        transcripts: hypotheses of some or all rows by id.
    """
    texts = _normalized([row.text for row in rows])
    transcribed = [(row, own) for row, own in zip(rows, texts, strict=True) if row.id in transcripts]
    hypotheses = _normalized([transcripts[row.id].hypothesis for row, _ in transcribed])
    suspects: list[_Suspect] = []
    alike: list[str] = []  # texts whose own hypothesis is like them
    for (row, own), hypothesis in zip(transcribed, hypotheses, strict=True):
        if len(hypothesis) >= MIN_CHARACTERS and own:
            distance = Levenshtein.normalized_distance(hypothesis, own)
            if distance >= UNLIKE and _similarity_of_part(hypothesis, own) < PART:
                suspects.append(_Suspect(row, hypothesis, own, distance))
            else:
                alike.append(own)
    compared = len(suspects) + len(alike)
    carriers = _rows_by_text(rows, texts) if suspects else {}
    claims, comparisons = _best_others(suspects, list(carriers))
    claimed = Counter(text for text, _ in claims.values())
    matching = Counter(alike if claims else ())
    free = {text: len(carriers[text]) - matching[text] for text in claimed}
    mismatched = [
        _mismatch(entry, carriers[claims[entry.row.id][0]], claims[entry.row.id][1])
        for entry in suspects
        if entry.row.id in claims
        and (
            claimed[claims[entry.row.id][0]] <= free[claims[entry.row.id][0]]
            or any(_share_audio(entry.row, carrier) for carrier in carriers[claims[entry.row.id][0]])
        )
    ]
    return MismatchFacts(
        manifest=name,
        rows=len(rows),
        compared=compared,
        too_short=len(transcribed) - compared,
        suspects=len(suspects),
        suspect_lines=[entry.row.line for entry in suspects if entry.row.line is not None][:MOST_LINES],
        generic_hypotheses=len(claims) - len(mismatched),
        comparisons=compared + comparisons,
        mismatched=mismatched,
    )


def _normalized(texts: Sequence[str]) -> list[str]:
    """Texts as `basic` writes them, with single spaces."""
    blocks = (texts[start : start + NORMALIZED_AT_ONCE] for start in range(0, len(texts), NORMALIZED_AT_ONCE))
    return [" ".join(text.split()) for block in blocks for text in basic_texts(list(map(first_alternative, block)))]


def _similarity_of_part(one: str, other: str) -> float:
    """Similarity, 0 to 1, of the shorter text, or of pieces of a long one, to the best place in the longer one."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) <= LONG_TEXT:
        return partial_ratio(one, other) / 100
    last = len(shorter) - PIECE
    return median(partial_ratio(shorter[start : start + PIECE], longer) for start in (0, last // 2, last)) / 100


def _rows_by_text(rows: Sequence[Utterance], texts: Sequence[str]) -> dict[str, list[Utterance]]:
    """The rows that have each of the texts; rows without one are left out."""
    carriers: defaultdict[str, list[Utterance]] = defaultdict(list)
    for row, text in zip(rows, texts, strict=True):
        if text:
            carriers[text].append(row)
    return carriers


def _share_audio(row: Utterance, other: Utterance) -> bool:
    """Whether two rows take pieces of one recording that overlap."""
    if row.audio is None or row.audio != other.audio or row.channel != other.channel:
        return False
    start = row.offset or 0.0
    other_start = other.offset or 0.0
    return start < other_start + other.duration and other_start < start + row.duration


def _best_others(suspects: Sequence[_Suspect], texts: Sequence[str]) -> tuple[dict[str, tuple[str, float]], int]:
    """The closest other text that can fit and its distance, by row id; and the number of pairs compared."""
    shortlist = None
    if len(suspects) * len(texts) > MOST_PAIRS:
        shortlist = Shortlist(texts, [entry.hypothesis for entry in suspects])
    claims: dict[str, tuple[str, float]] = {}
    comparisons = 0
    for entry in suspects:
        near = texts
        if shortlist is not None:
            near = [texts[i] for i in shortlist.near(entry.hypothesis, COMPARED_WITH)]
        others = [text for text in near if text != entry.own]
        comparisons += len(others)
        fitting = process.extract(
            entry.hypothesis, others, scorer=Levenshtein.normalized_distance, score_cutoff=FITS, limit=None
        )
        distance, text = min(((distance, text) for text, distance, _ in fitting), default=(1.0, ""))
        if distance < entry.distance:
            claims[entry.row.id] = (text, distance)
    return claims, comparisons


def _mismatch(entry: _Suspect, carriers: Sequence[Utterance], distance: float) -> MismatchedTranscript:
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


QGRAM = 4  # characters, spaces included
LOOKED_UP = 24  # q-grams of a query, its rarest


class Shortlist:
    """Inverted index over texts for some queries, of the q-grams that occur in any of these. Building is linear in the
    characters of the texts, a query in the texts that share its rare q-grams.
    """

    def __init__(self, texts: Sequence[str], queries: Iterable[str]) -> None:
        self._size = len(texts)
        self._texts_with: defaultdict[str, list[int]] = defaultdict(list)
        asked: set[str] = set().union(*map(_qgrams, queries))
        for number, text in enumerate(texts):
            for qgram in asked & _qgrams(text):
                self._texts_with[qgram].append(number)

    def near(self, query: str, most: int) -> list[int]:
        """Indices of at most `most` texts that share the largest weight of q-grams with `query`, best first."""
        by_rarity = sorted((len(self._texts_with[p]), p) for p in _qgrams(query) if p in self._texts_with)[:LOOKED_UP]
        if not by_rarity:
            return []
        counts, qgrams = zip(*by_rarity, strict=True)
        weights = np.repeat([math.log(1 + self._size / count) for count in counts], counts)
        numbers = np.concatenate([self._texts_with[qgram] for qgram in qgrams])
        score = np.round(np.bincount(numbers, weights=weights), 9)
        shared = np.nonzero(score)[0]
        best = shared[np.lexsort((shared, -score[shared]))][:most]
        return [int(number) for number in best]


def _qgrams(text: str) -> set[str]:
    return {text[i : i + QGRAM] for i in range(max(1, len(text) - QGRAM + 1))}
