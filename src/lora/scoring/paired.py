"""Compare two runs over the same utterances: difference of corpus WER, its interval, the outcome, and MAPSSWE.

The difference is a ratio estimator as well, sum(tuned errors - baseline errors) over the reference words that both
share, so its interval is the linearised one of `corpus_wer`, by speakers where there are enough. A 95 % interval inside
the margin is equivalent to two one-sided tests at 2.5 % (Schuirmann 1987). Fewer than 6 utterances with different error
counts cannot reach 5 % in a two-sided sign test (2 * 0.5^5 = 0.0625), so they do not decide here either. "Not worse" is
non-inferiority: `harm_bound` below the margin.

MAPSSWE is the matched-pairs sentence-segment word error test of Gillick & Cox 1989 (ICASSP, "Some statistical issues in
the comparison of speech recognition algorithms"), as in NIST SCTK: within an utterance a segment ends where two or more
successive words are right in both runs, and contains at least one error; the mean difference of errors per segment over
its standard error is taken as normal. The test assumes independent segments. Errors of a speaker or utterance are
correlated, so that its p is too small; it is reported in addition to the interval and decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter

import numpy as np
from scipy.special import betaincinv, ndtr

from lora.records.comparisons import Mapsswe, Outcome, PairedScore
from lora.records.scores import Edit, Interval, UtteranceErrors
from lora.scoring.corpus_wer import bootstrap_interval, no_interval, ratio_interval, ratio_variance, sampling_units
from lora.scoring.power import detectable_difference, power_from_error

MIN_CHANGED = 6


def paired_score(
    baseline: Sequence[UtteranceErrors],
    tuned: Sequence[UtteranceErrors],
    changed_hypotheses: int,
    margin: float,
    confidence: float,
    replicates: int,
    target_gain: float | None = None,
) -> PairedScore:
    """Compare two runs.

    Without a changed hypothesis there is nothing to estimate and no interval: the outcome is `unchanged`. Where
    hypotheses differ only in what the normaliser removes, such as case and punctuation, it is `same_words`.
    `detectable_difference` and `power` use the observed standard error and are None where too few utterances changed.

    Args:
        baseline: errors of the baseline.
        tuned: errors of the candidate, for the same utterances in the same order.
        changed_hypotheses: number of raw hypotheses that differ.
        margin: WER difference (fraction) below which runs are equivalent.
        confidence: of the intervals, such as 0.95.
        replicates: of the bootstrap; 0 skips it.
        target_gain: WER difference (fraction) for which to report the power.
    """
    if [entry.id for entry in baseline] != [entry.id for entry in tuned]:
        raise ValueError("baseline and tuned must contain the same utterances in the same order")
    before = [entry.errors for entry in baseline]
    after = [entry.errors for entry in tuned]
    difference = [second - first for first, second in zip(before, after, strict=True)]
    words = [entry.words for entry in baseline]
    drawn = sampling_units(difference, words, [entry.speaker_id for entry in baseline])
    total = sum(words)
    changed_errors = sum(value != 0 for value in difference)
    # Edits turn the common reference into a normalised hypothesis, so that equal edits mean equal words.
    changed_texts = sum(
        first.edits != second.edits or first.errors != second.errors
        for first, second in zip(baseline, tuned, strict=True)
    )
    if changed_texts:
        interval = ratio_interval(drawn, confidence)
        bootstrap = bootstrap_interval(drawn, confidence, replicates)
    else:
        interval = no_interval(confidence, "no word differs" if changed_hypotheses else "no hypothesis differs")
        bootstrap = None
    estimable = interval.low is not None and changed_errors >= MIN_CHANGED
    error = math.sqrt(ratio_variance(drawn)) if estimable else None
    return PairedScore(
        utterances=len(words),
        words=total,
        baseline_wer=sum(before) / total if total else None,
        tuned_wer=sum(after) / total if total else None,
        delta=sum(difference) / total if total else None,
        interval=interval,
        bootstrap=bootstrap,
        changed_hypotheses=changed_hypotheses,
        changed_texts=changed_texts,
        changed_errors=changed_errors,
        substitutions_delta=_gained(baseline, tuned, "substitutions"),
        deletions_delta=_gained(baseline, tuned, "deletions"),
        insertions_delta=_gained(baseline, tuned, "insertions"),
        outcome=outcome(interval, changed_hypotheses, changed_texts, changed_errors, margin)
        if words
        else "underpowered",
        within_margin=_inside(interval, margin),
        harm_bound=harm_bound(interval, difference),
        detectable_difference=None if error is None else detectable_difference(error, drawn, confidence),
        power=None
        if error is None or not target_gain
        else power_from_error(baseline, error, drawn, target_gain, confidence),
        mapsswe=mapsswe(baseline, tuned),
    )


def outcome(
    interval: Interval, changed_hypotheses: int, changed_texts: int, changed_errors: int, margin: float
) -> Outcome:
    """The first that applies: unchanged, same words, better or worse, equivalent, underpowered."""
    if changed_hypotheses == 0:
        return "unchanged"
    if changed_texts == 0:
        return "same_words"
    if interval.low is None or interval.high is None or changed_errors < MIN_CHANGED:
        return "underpowered"
    if interval.high < 0:
        return "better"
    if interval.low > 0:
        return "worse"
    return "equivalent" if _inside(interval, margin) else "underpowered"


def harm_bound(interval: Interval, differences: Sequence[int]) -> float | None:
    """The largest WER increase that the data do not exclude; None without an interval.

    Where the errors of fewer than 6 utterances changed, the interval is based on too few of them. The bound is then at
    least the exact upper bound of the share of utterances that get worse (Clopper & Pearson 1934), as if every word of
    them became wrong, as for a WER without errors.
    """
    if interval.high is None or sum(value != 0 for value in differences) >= MIN_CHANGED:
        return interval.high
    worse = sum(value > 0 for value in differences)
    share = float(betaincinv(worse + 1, len(differences) - worse, 0.5 + interval.confidence / 2))
    return max(interval.high, share)


def _inside(interval: Interval, margin: float) -> bool:
    return interval.low is not None and interval.high is not None and -margin < interval.low <= interval.high < margin


def _gained(baseline: Sequence[UtteranceErrors], tuned: Sequence[UtteranceErrors], kind: str) -> int:
    gained: int = sum(map(attrgetter(kind), tuned))
    lost: int = sum(map(attrgetter(kind), baseline))
    return gained - lost


MIN_RIGHT = 2


def mapsswe(baseline: Sequence[UtteranceErrors], tuned: Sequence[UtteranceErrors]) -> Mapsswe:
    """MAPSSWE of two runs over the same utterances in the same order.

    z and p are None for fewer than two segments, or where all segments have the same difference.
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
    """Difference of errors (tuned minus baseline) of every segment of one utterance."""
    positions = [(edit.at, edit.reference is not None, -1) for edit in baseline]
    positions += [(edit.at, edit.reference is not None, 1) for edit in tuned]
    differences: list[int] = []
    right_from = 0  # the first reference word after all errors so far
    for at, is_word, sign in sorted(positions):
        if not differences or at - right_from >= MIN_RIGHT:
            differences.append(0)
        differences[-1] += sign
        right_from = at + is_word
    return differences
