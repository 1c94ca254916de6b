"""Texts that share pieces with a query: a short list for comparisons that cost too much with every text.

An inverted index over character q-grams, most of which a few edits leave whole (Ukkonen 1992). A query looks up its
rarest ones only, weighted by inverse document frequency (Spaerck Jones 1972).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

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
