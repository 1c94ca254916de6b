"""MAPSSWE, the matched-pairs sentence-segment word error test, from the word edits of two runs.

Gillick & Cox 1989 (ICASSP, "Some statistical issues in the comparison of speech recognition algorithms"), as in
NIST SCTK: inside one utterance a segment ends where two or more successive words are right in both runs; segments
hold at least one error; the mean difference of their errors over its standard error is taken as normal. Segments
count as independent: speakers and utterances that err together make p too small, which is why this test stands
beside the interval by speakers and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr

from lora.records.comparisons import Mapsswe
from lora.records.scores import Edit, UtteranceErrors

MIN_RIGHT = 2


def mapsswe(baseline: Sequence[UtteranceErrors], tuned: Sequence[UtteranceErrors]) -> Mapsswe:
    """Both lists hold the same ids in the same order. Without spread (fewer than two segments, or all with the same
    difference) there is no z and no p.
    """
    differences = [
        difference
        for before, after in zip(baseline, tuned, strict=True)
        for difference in segment_differences(before.edits, after.edits)
    ]
    count = len(differences)
    mean = float(np.mean(differences)) if count else None
    spread = float(np.std(differences, ddof=1)) if count > 1 else 0.0
    if mean is None or spread == 0.0:
        return Mapsswe(segments=count, mean_difference=mean, z=None, p=None)
    z = mean / (spread / math.sqrt(count))
    return Mapsswe(segments=count, mean_difference=mean, z=z, p=two_sided(z))


def two_sided(z: float) -> float:
    return 2.0 * float(ndtr(-abs(z)))


def segment_differences(baseline: Sequence[Edit], tuned: Sequence[Edit]) -> list[int]:
    """Errors of every segment of one utterance, tuned minus baseline; 0 where both err equally often."""
    marked = [(edit.at, edit.reference is not None, -1) for edit in baseline]
    marked += [(edit.at, edit.reference is not None, 1) for edit in tuned]
    differences: list[int] = []
    right_from = 0  # the first reference word behind all errors so far
    for at, is_word, sign in sorted(marked):
        if not differences or at - right_from >= MIN_RIGHT:
            differences.append(0)
        differences[-1] += sign
        right_from = at + is_word
    return differences
