"""Hypotheses that loop: the same words again and again, where the reference does not say them so.

What Radford et al. 2022 (section 4.5) call repetition loops and recognise by the compressed size of a text is counted
here from words, because that names the rows and the words, and a short text compresses too little to tell.
"""

from __future__ import annotations

from collections.abc import Sequence

from lora.records.scores import Loop

LONGEST = 6  # words of a repeated n-gram
TIMES = 3  # in a row
EXCESS = 2  # more often in a row than the reference has it


def longest_loop(id: str, reference: Sequence[str], hypothesis: Sequence[str]) -> Loop | None:
    """The n-gram of 1 to 6 words that the hypothesis repeats over most words, null where it repeats none.

    An n-gram loops if it stands at least three times in a row, and at least twice more in a row than anywhere in the
    reference. Of equally long runs the shortest n-gram counts, so that `a a a a a a` is six of `a`.
    """
    best: Loop | None = None
    covered = 0
    for size in range(1, min(LONGEST, len(hypothesis) // TIMES) + 1):
        for start, times in _runs(hypothesis, size):
            words = tuple(hypothesis[start : start + size])
            if times < TIMES or size * times <= covered or times - _most_in_a_row(reference, words) < EXCESS:
                continue
            best, covered = Loop(id=id, words=" ".join(words), times=times), size * times
    return best


def _runs(words: Sequence[str], size: int) -> list[tuple[int, int]]:
    """(start, times) of every maximal run in which words repeat with the period `size`, at least twice."""
    found, start = [], 0
    while start + 2 * size <= len(words):
        end = start + size
        while end < len(words) and words[end] == words[end - size]:
            end += 1
        times = (end - start) // size
        if times > 1:
            found.append((start, times))
            start = end - size + 1
        else:
            start += 1
    return found


def _most_in_a_row(words: Sequence[str], gram: tuple[str, ...]) -> int:
    size, most, start = len(gram), 0, 0
    while start + size <= len(words):
        times = 0
        while tuple(words[start + times * size : start + (times + 1) * size]) == gram:
            times += 1
        most = max(most, times)
        start += max(1, times * size)
    return most
