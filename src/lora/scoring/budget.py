"""Where a difference of errors comes from: speakers, durations, and the word pairs that changed most.

Uses the word edits of both runs (see `alignment`). Where several alignments cost the same, a pair of words is one of
several descriptions of the same error; sums over utterances are the same for all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from heapq import nsmallest

from lora.records.comparisons import BudgetLine, ErrorBudget, WordPair
from lora.records.scores import UtteranceErrors

EDGES = (2.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)  # s; a duration equal to an edge is in the lower bin, as in the filter
PAIRS = 20
Pair = tuple[UtteranceErrors, UtteranceErrors]
Words = tuple[str | None, str | None]  # of the reference, of the hypothesis; None is no word


def error_budget(baseline: Sequence[UtteranceErrors], tuned: Sequence[UtteranceErrors]) -> ErrorBudget:
    """Split the difference of two runs. Both lists contain the same utterances in the same order.

    Utterances without a speaker are one line.
    """
    pairs = list(zip(baseline, tuned, strict=True))
    speakers: defaultdict[str | None, list[Pair]] = defaultdict(list)
    durations: defaultdict[int, list[Pair]] = defaultdict(list)
    for pair in pairs:
        speakers[pair[0].speaker_id].append(pair)
        durations[bisect_left(EDGES, pair[0].duration)].append(pair)
    gained, lost = _most_changed_pairs(baseline, tuned)
    return ErrorBudget(
        by_speaker=sorted((_line(name, of) for name, of in speakers.items()), key=_most_changed),
        by_duration=[_line(_between(index), durations[index]) for index in sorted(durations)],
        gained=gained,
        lost=lost,
    )


def _word_pairs(scored: Iterable[UtteranceErrors]) -> Iterator[Words]:
    return ((reference, hypothesis) for entry in scored for _, reference, hypothesis in entry.edits)


def _most_changed_pairs(
    baseline: Sequence[UtteranceErrors], tuned: Sequence[UtteranceErrors]
) -> tuple[list[WordPair], list[WordPair]]:
    """Pairs whose count rose most and pairs whose count fell most, ties by words."""
    change = Counter(_word_pairs(tuned))  # one table of all pairs: there may be hundreds of thousands
    change.subtract(_word_pairs(baseline))
    risen = _largest(change, 1)
    fallen = _largest(change, -1)
    named = {*risen, *fallen}
    before = Counter(words for words in _word_pairs(baseline) if words in named)

    def described(pairs: Sequence[Words]) -> list[WordPair]:
        return [
            WordPair(
                reference=words[0], hypothesis=words[1], baseline=before[words], tuned=before[words] + change[words]
            )
            for words in pairs
        ]

    return described(risen), described(fallen)


def _largest(change: Counter[Words], sign: int) -> list[Words]:
    changed = ((-sign * by, words[0] or "", words[1] or "", words) for words, by in change.items() if sign * by > 0)
    return [words for *_, words in nsmallest(PAIRS, changed)]


def _line(name: str | None, pairs: Sequence[Pair]) -> BudgetLine:
    words = before_errors = after_errors = substitutions = deletions = insertions = 0
    for before, after in pairs:
        words += before.words
        before_errors += before.errors
        after_errors += after.errors
        substitutions += after.substitutions - before.substitutions
        deletions += after.deletions - before.deletions
        insertions += after.insertions - before.insertions
    return BudgetLine(
        name=name,
        utterances=len(pairs),
        words=words,
        baseline_errors=before_errors,
        tuned_errors=after_errors,
        substitutions_delta=substitutions,
        deletions_delta=deletions,
        insertions_delta=insertions,
    )


def _between(index: int) -> str:
    if index == 0:
        return f"up to {EDGES[0]:g} s"
    return f"over {EDGES[-1]:g} s" if index == len(EDGES) else f"{EDGES[index - 1]:g} to {EDGES[index]:g} s"


def _most_changed(line: BudgetLine) -> tuple[int, str]:
    return -abs(line.tuned_errors - line.baseline_errors), line.name or ""
