"""How small a WER difference an evaluation set could show, foreseen from the baseline's own errors.

Two runs that share a part s of their errors differ with variance 2 (1 - s) var(WER): errors they share
cancel, the rest is as scattered as the baseline's. var(WER) is that of the linearised ratio estimator; the
design effect is the ratio of its value by speakers to its value by utterances, at least 1. The smallest
difference detected with 80 % power by a two-sided test is (q.975 + q.80) standard errors (Cohen 1988), with
quantiles of t where speakers are the units. More of the same kind divides the variance; with more speakers the
quantiles of t shrink too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import ndtri, stdtrit

from lora.records.scores import Power, UtteranceErrors
from lora.scoring.corpus_wer import MIN_SPEAKERS, Units, ratio_variance, sampling_units

POWER = 0.80


def detectable_difference(standard_error: float, drawn: Units, confidence: float) -> float:
    """Difference shown with 80 % power at this confidence, in units of WER."""
    return _quantiles(drawn.name, len(drawn.words), confidence) * standard_error


def power_from_error(
    scored: Sequence[UtteranceErrors],
    standard_error: float,
    drawn: Units,
    target_gain: float,
    confidence: float,
    assumed_shared_errors: float | None = None,
    design_effect: float = 1.0,
) -> Power:
    """What this standard error of a WER difference lets the set show, and how much of its kind `target_gain` needs.

    More utterances of the same kind, with as many a speaker as now where speakers are the units.
    """
    factor = _growth(standard_error, drawn, target_gain, confidence)
    hours = sum(entry.duration for entry in scored) / 3600
    speakers = len(drawn.words) if drawn.name == "speakers" else None
    return Power(
        assumed_shared_errors=assumed_shared_errors,
        standard_error=standard_error,
        detectable_difference=detectable_difference(standard_error, drawn, confidence),
        target_gain=target_gain,
        utterances=len(scored),
        utterances_needed=math.ceil(len(scored) * factor),
        hours=hours or None,  # 0 where no row tells its duration
        hours_needed=hours * factor or None,
        speakers=speakers,
        speakers_needed=None if speakers is None else math.ceil(speakers * factor),
        design_effect=design_effect,
        units=drawn.name,
    )


def forecast_power(
    scored: Sequence[UtteranceErrors], assumed_shared_errors: float, target_gain: float, confidence: float
) -> Power | None:
    """None where two utterances with words are missing.

    A baseline with hardly an error has a variance estimate near 0 that would promise the power of a huge
    set: the variance is at least that of independent words at the rate of Agresti & Coull (1998), (errors +
    2)/(words + 4). `utterances_needed` takes more utterances of the same kind, from speakers in the same
    proportion.
    """
    words = [entry.words for entry in scored]
    if sum(count > 0 for count in words) < 2:
        return None
    errors = [entry.errors for entry in scored]
    drawn = sampling_units(errors, words, [entry.speaker_id for entry in scored])
    by_utterance = ratio_variance(sampling_units(errors, words, [None] * len(words)))
    variance = max(ratio_variance(drawn), by_utterance)
    rate = min((sum(errors) + 2) / (sum(words) + 4), 0.5)
    floor = rate * (1 - rate) / sum(words)
    standard_error = math.sqrt(2 * (1 - assumed_shared_errors) * max(variance, floor))
    design_effect = variance / by_utterance if by_utterance > 0 else 1.0
    return power_from_error(
        scored, standard_error, drawn, target_gain, confidence, assumed_shared_errors, design_effect
    )


def _growth(standard_error: float, drawn: Units, target_gain: float, confidence: float) -> float:
    """The smallest multiple of the set that shows `target_gain`; whole speakers, at least `MIN_SPEAKERS` of them."""
    count = len(drawn.words)
    if drawn.name == "utterances":
        return (detectable_difference(standard_error, drawn, confidence) / target_gain) ** 2
    normal = _quantiles("utterances", count, confidence)
    needed = max(MIN_SPEAKERS, math.ceil(count * (normal * standard_error / target_gain) ** 2))
    while _quantiles("speakers", needed, confidence) * standard_error * math.sqrt(count / needed) > target_gain:
        needed += 1
    return needed / count


def _quantiles(name: str, count: int, confidence: float) -> float:
    upper = 0.5 + confidence / 2
    if name == "speakers":
        return float(stdtrit(count - 1, upper) + stdtrit(count - 1, POWER))
    return float(ndtri(upper) + ndtri(POWER))
