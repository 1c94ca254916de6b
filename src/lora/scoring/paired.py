"""Two runs over the same utterances: the difference of their corpus WER, its interval, and what may be said
of it.

The difference is a ratio estimator too: sum(tuned errors - baseline errors) over the reference words both
share, so the interval is the linearised one of `intervals`, by speakers where there are enough. A 95 %
interval inside the margin is two one-sided tests at 2.5 % (Schuirmann 1987). Fewer than 6 utterances whose
error counts differ cannot reach 5 % in a two-sided sign test (2 * 0.5^5 = 0.0625), so they decide nothing
here either. "Not worse" is non-inferiority: `harm_bound` below the margin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import attrgetter

from scipy.special import betaincinv

from lora.records.comparisons import Outcome, PairedScore
from lora.records.scores import Interval, UtteranceErrors
from lora.scoring.intervals import bootstrap_interval, no_interval, ratio_interval, ratio_variance, units
from lora.scoring.mapsswe import mapsswe
from lora.scoring.power import detectable_difference, power_of

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
    """Both lists hold the same ids in the same order; `changed_hypotheses` counts raw texts that differ.

    Without a changed hypothesis there is nothing to estimate and no interval: the outcome is `unchanged`.
    `detectable_difference` comes from the observed standard error, where enough changed to estimate one; so does
    `power`, for a `target_gain` (WER as a fraction).
    """
    if [entry.id for entry in baseline] != [entry.id for entry in tuned]:
        raise ValueError("baseline and tuned must hold the same utterances in the same order")
    before, after = [entry.errors for entry in baseline], [entry.errors for entry in tuned]
    difference = [second - first for first, second in zip(before, after, strict=True)]
    words = [entry.words for entry in baseline]
    drawn = units(difference, words, [entry.speaker_id for entry in baseline])
    total = sum(words)
    changed_errors = sum(value != 0 for value in difference)
    if changed_hypotheses:
        interval = ratio_interval(drawn, confidence)
        bootstrap = bootstrap_interval(drawn, confidence, replicates)
    else:
        interval, bootstrap = no_interval(confidence, "no hypothesis differs"), None
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
        changed_errors=changed_errors,
        substitutions_delta=_gained(baseline, tuned, "substitutions"),
        deletions_delta=_gained(baseline, tuned, "deletions"),
        insertions_delta=_gained(baseline, tuned, "insertions"),
        outcome=outcome(interval, changed_hypotheses, changed_errors, margin),
        within_margin=_inside(interval, margin),
        harm_bound=harm_bound(interval, difference),
        detectable_difference=None if error is None else detectable_difference(error, drawn, confidence),
        power=None if error is None or not target_gain else power_of(baseline, error, drawn, target_gain, confidence),
        mapsswe=mapsswe(baseline, tuned),
    )


def outcome(interval: Interval, changed_hypotheses: int, changed_errors: int, margin: float) -> Outcome:
    """The first that holds: unchanged, better or worse, equivalent, underpowered."""
    if changed_hypotheses == 0:
        return "unchanged"
    if interval.low is None or interval.high is None or changed_errors < MIN_CHANGED:
        return "underpowered"
    if interval.high < 0:
        return "better"
    if interval.low > 0:
        return "worse"
    return "equivalent" if _inside(interval, margin) else "underpowered"


def harm_bound(interval: Interval, differences: Sequence[int]) -> float | None:
    """The largest WER difference that the data leave open; null without an interval.

    Where fewer than 6 utterances changed their errors, the interval rests on too few of them. The bound is then at
    least the exact upper one of the share of utterances that get worse (Clopper & Pearson 1934), each taken to become
    wrong in every word, as for a WER without errors.
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
