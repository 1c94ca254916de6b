"""The smallest difference that a comparison can show: one number per comparison, for every check and page."""

from __future__ import annotations

from lora.records.comparisons import PairedScore
from lora.records.scores import Power


def detectable_difference(score: PairedScore | None, power: Power | None) -> float | None:
    """By the observed spread of a comparison, else as the baseline predicts it; None where neither is known.

    Where too few utterances changed for an estimate, the prediction counts, but not below half the width of the
    observed interval: that interval would contain 0 for any smaller difference.

    Args:
        score: The comparison; None without one, or where its hypotheses are broken.
        power: What the baseline predicts for the same rows.
    """
    if score is not None and score.detectable_difference is not None:
        return score.detectable_difference
    if power is None or power.detectable_difference <= 0:  # without an error nothing can be predicted
        return None
    return max(power.detectable_difference, half_width(score))


def half_width(score: PairedScore | None) -> float:
    """Half the width of the interval of a comparison; 0 without one."""
    if score is None or score.interval.low is None or score.interval.high is None:
        return 0.0
    return (score.interval.high - score.interval.low) / 2
