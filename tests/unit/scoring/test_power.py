"""Power of an evaluation set, forecast from the baseline alone."""

import math
from dataclasses import replace

import numpy as np
import pytest

from lora.scoring.corpus_wer import sampling_units
from lora.scoring.power import forecast_power, power_from_error


def test_the_forecast_by_hand(scored):
    # errors 0 and 4 in turn, 100 utterances of 10 words: residuals of 2 over 0.99, var = 400 / 0.99^2 / 1000^2
    # (floor 0.00016)
    entries = scored([0, 4] * 50, [10] * 100)
    result = forecast_power(entries, 0.8, 0.01, 0.95)
    error = math.sqrt(2 * 0.2 * 400 / 0.99**2 / 1e6)
    assert result.standard_error == pytest.approx(error)
    assert result.detectable_difference == pytest.approx((1.984217 + 0.845267) * error, rel=1e-6)  # t with 99 d.f.
    # One point: normal quantiles would say 1,282; with t the last utterances that are missing are two more.
    assert result.utterances_needed == 1284
    assert (result.units, result.design_effect) == ("utterances", 1.0)
    assert (result.hours, result.speakers, result.speakers_needed) == (pytest.approx(100 / 3600), None, None)
    assert result.hours_needed == pytest.approx(1284 / 3600)


def test_close_to_the_known_simulation():
    """12 % WER, 22 words per row, 80 % shared errors: 1.33 points at 100 rows, 0.60 at 500, 0.26 at 2620."""
    from lora.records.scores import UtteranceErrors

    draw = np.random.default_rng(2)
    for rows, known in ((100, 0.0133), (500, 0.0060), (2620, 0.0026)):
        errors = draw.binomial(22, 0.12, rows)
        entries = [
            UtteranceErrors(
                id=str(i),
                duration=1,
                speaker_id=None,
                words=22,
                hits=22 - e,
                substitutions=e,
                deletions=0,
                insertions=0,
            )
            for i, e in enumerate(errors.tolist())
        ]
        assert forecast_power(entries, 0.8, 0.01, 0.95).detectable_difference == pytest.approx(known, rel=0.2)


def test_correlated_errors_of_speakers_reduce_power(scored):
    speakers = [name for name in "abcdefghij" for _ in range(10)]
    errors = [4 if name < "f" else 0 for name in speakers]
    together = forecast_power(scored(errors, [10] * 100, speakers), 0.8, 0.01, 0.95)
    alone = forecast_power(scored(errors, [10] * 100), 0.8, 0.01, 0.95)
    assert (together.units, alone.units) == ("speakers", "utterances")
    assert together.design_effect == pytest.approx((10 * (20 / 0.9) ** 2) / (100 * (2 / 0.99) ** 2))
    assert together.detectable_difference > 3 * alone.detectable_difference


def test_more_speakers_also_shrink_the_quantiles(scored):
    # SE 0.01 with 6 speakers of one utterance of 600 s. For two points K speakers must satisfy
    # (t.975 + t.80)(K-1) * 0.01 * sqrt(6 / K) <= 0.02: with 14 (2.160369 + 0.870152) * 0.654654 = 1.983939,
    # with 13 (2.178813 + 0.872609) * 0.679366 = 2.073032. Normal quantiles would have said 12.
    entries = [replace(entry, duration=600.0) for entry in scored([1] * 6, [10] * 6, list("abcdef"))]
    drawn = sampling_units([1] * 6, [10] * 6, list("abcdef"))
    result = power_from_error(entries, 0.01, drawn, 0.02, 0.95)
    assert (result.speakers, result.speakers_needed, result.utterances_needed) == (6, 14, 14)
    assert (result.hours, result.hours_needed) == (1.0, pytest.approx(14 / 6))
    assert result.detectable_difference == pytest.approx((2.570582 + 0.919544) * 0.01, rel=1e-6)
    # never fewer than an interval by speakers needs
    assert power_from_error(entries, 0.0001, drawn, 0.02, 0.95).speakers_needed == 5


def test_few_utterances_have_the_quantiles_of_their_interval(scored):
    # Three speakers are too few to be units: six utterances, t with 5 degrees of freedom.
    entries = scored([0, 3, 1, 0, 2, 0], [10] * 6, list("aabbcc"))
    result = forecast_power(entries, 0.8, 0.05, 0.95)
    assert result.units == "utterances"
    assert result.detectable_difference == pytest.approx((2.570582 + 0.919544) * result.standard_error, rel=1e-6)


def test_a_baseline_without_errors_has_a_minimum_variance(scored):
    result = forecast_power(scored([0] * 10, [10] * 10), 0.8, 0.01, 0.95)
    rate = 2 / 104
    assert result.standard_error == pytest.approx(math.sqrt(0.4 * rate * (1 - rate) / 100))


@pytest.mark.parametrize(("errors", "words"), [([], []), ([1], [5]), ([1, 2], [5, 0]), ([1, 1], [0, 0])])
def test_none_without_two_utterances(scored, errors, words):
    assert forecast_power(scored(errors, words), 0.8, 0.01, 0.95) is None
