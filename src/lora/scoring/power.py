"""The smallest WER difference that an evaluation set can show, forecast from the errors of the baseline.

The difference of two runs that share a part s of their errors has variance 2 (1 - s) var(WER): shared errors cancel,
the others vary like those of the baseline. var(WER) is that of the linearised ratio estimator (see `corpus_wer`); the
design effect is its value by speakers over its value by utterances, at least 1. The smallest difference detected with
80 % power by a two-sided test is (q.975 + q.80) standard errors (Cohen 1988), with the quantiles of Student's t that
intervals have (K-1 degrees of freedom for K speakers or utterances). More data of the same kind reduces the variance
and the quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy.special import ndtri, stdtrit

from lora.records.scores import Power, UtteranceErrors
from lora.scoring.corpus_wer import MIN_SPEAKERS, Units, ratio_variance, sampling_units

POWER = 0.80
MIN_UTTERANCES = 2  # one has no variance


def detectable_difference(standard_error: float, drawn: Units, confidence: float) -> float:
    """WER difference (fraction) that is detected with 80 % power at this confidence."""
    return _quantiles(len(drawn.words), confidence) * standard_error


def power_from_error(
    scored: Sequence[UtteranceErrors],
    standard_error: float,
    drawn: Units,
    target_gain: float,
    confidence: float,
    assumed_shared_errors: float | None = None,
    design_effect: float = 1.0,
) -> Power:
    """What a set can show, given the standard error of a WER difference, and how much data `target_gain` needs.

    The additional data are utterances of the same kind, with as many per speaker where speakers are the units.

    Args:
        scored: errors of the utterances.
        standard_error: of the WER difference (fraction).
        drawn: the sampling units.
        target_gain: WER difference (fraction) to detect.
        confidence: of the two-sided test, such as 0.95.
        assumed_shared_errors: share of errors that both runs are assumed to share; None for an observed standard error.
        design_effect: variance by speakers over variance by utterances.
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
        hours=hours or None,  # 0 where no row has a duration
        hours_needed=hours * factor or None,
        speakers=speakers,
        speakers_needed=None if speakers is None else math.ceil(speakers * factor),
        design_effect=design_effect,
        units=drawn.name,
    )


def forecast_power(
    scored: Sequence[UtteranceErrors], assumed_shared_errors: float, target_gain: float, confidence: float
) -> Power | None:
    """Forecast of a comparison from the baseline alone; None for fewer than two utterances with words.

    A baseline with hardly any errors has a variance estimate near 0, which would promise too much power. The variance
    is therefore at least that of independent words at the rate of Agresti & Coull (1998), (errors + 2)/(words + 4).
    `utterances_needed` assumes more utterances of the same kind, from speakers in the same proportion.
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
    """The smallest multiple of the set that shows `target_gain`, in whole units, at least `MIN_SPEAKERS` speakers."""
    count = len(drawn.words)
    normal = float(ndtri(0.5 + confidence / 2) + ndtri(POWER))
    fewest = MIN_SPEAKERS if drawn.name == "speakers" else MIN_UTTERANCES
    needed = max(fewest, math.ceil(count * (normal * standard_error / target_gain) ** 2))
    while _quantiles(needed, confidence) * standard_error * math.sqrt(count / needed) > target_gain:
        needed += 1
    return needed / count


def _quantiles(count: int, confidence: float) -> float:
    return float(stdtrit(count - 1, 0.5 + confidence / 2) + stdtrit(count - 1, POWER))
