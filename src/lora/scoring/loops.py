"""Repetition loops: hypotheses that repeat words many times where the reference does not.

Radford et al. 2022 (section 4.5) recognise repetition loops by the compression ratio of a text. Here they are found
from the words, which names the repeated words and also works for texts too short to compress.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import eq

from lora.records.scores import Loop

MAX_WORDS = 6  # of a repeated n-gram
MIN_REPEATS = 3  # in a row
MIN_EXCESS = 2  # repeats more than in the reference


def longest_loop(id: str, reference: Sequence[str], hypothesis: Sequence[str]) -> Loop | None:
    """The n-gram of 1 to 6 words whose repetition covers most words of the hypothesis; None where there is no loop.

    An n-gram loops if it occurs at least three times in a row, and at least twice more in a row than anywhere in the
    reference. Of runs of equal length the shortest n-gram counts, so that `a a a a a a` is six times `a`.
    """
    if len(hypothesis) - len(set(hypothesis)) < MIN_REPEATS - 1:
        return None  # no word occurs often enough
    best: Loop | None = None
    covered = 0
    for size in range(1, min(MAX_WORDS, len(hypothesis) // MIN_REPEATS) + 1):
        if not any(map(eq, hypothesis[size:], hypothesis)):
            continue
        for start, times in _runs(hypothesis, size):
            words = tuple(hypothesis[start : start + size])
            if times < MIN_REPEATS or size * times <= covered or times - _most_in_a_row(reference, words) < MIN_EXCESS:
                continue
            best = Loop(id=id, words=" ".join(words), times=times)
            covered = size * times
    return best


def _runs(words: Sequence[str], size: int) -> list[tuple[int, int]]:
    """(start, repeats) of every maximal run in which words repeat with period `size`, at least twice."""
    runs: list[tuple[int, int]] = []
    start = 0
    while start + 2 * size <= len(words):
        end = start + size
        while end < len(words) and words[end] == words[end - size]:
            end += 1
        times = (end - start) // size
        if times > 1:
            runs.append((start, times))
            start = end - size + 1
        else:
            start += 1
    return runs


def _most_in_a_row(words: Sequence[str], gram: tuple[str, ...]) -> int:
    """The largest number of times that an n-gram occurs in a row."""
    size = len(gram)
    most = 0
    start = 0
    while start + size <= len(words):
        times = 0
        while tuple(words[start + times * size : start + (times + 1) * size]) == gram:
            times += 1
        most = max(most, times)
        start += max(1, times * size)
    return most
