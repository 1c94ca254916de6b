"""What an evaluation set could show, foreseen from the baseline alone."""

import math

import numpy as np
import pytest

from lora.scoring.power import foresee


def test_by_hand(scored):
    # errors 0 and 4 in turn, 100 utterances of 10 words: residuals of 2, var = 100/99 * 400 / 1000^2 (floor 0.00016)
    entries = scored([0, 4] * 50, [10] * 100)
    found = foresee(entries, 0.8, 0.01, 0.95)
    error = math.sqrt(2 * 0.2 * 100 / 99 * 400 / 1e6)
    assert found.standard_error == pytest.approx(error)
    assert found.detectable_difference == pytest.approx((1.959964 + 0.841621) * error, rel=1e-6)
    assert found.utterances_needed == math.ceil(100 * (found.detectable_difference / 0.01) ** 2)
    assert (found.units, found.design_effect) == ("utterances", 1.0)


def test_close_to_the_known_simulation():
    """12 % WER, 22 words a row, 80 % shared errors: 1.33 points at 100 rows, 0.60 at 500, 0.26 at 2620."""
    from lora.records import UtteranceErrors

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
        assert foresee(entries, 0.8, 0.01, 0.95).detectable_difference == pytest.approx(known, rel=0.2)


def test_speakers_who_err_together_cost_power(scored):
    speakers = [name for name in "abcdefghij" for _ in range(10)]
    errors = [4 if name < "f" else 0 for name in speakers]
    together = foresee(scored(errors, [10] * 100, speakers), 0.8, 0.01, 0.95)
    alone = foresee(scored(errors, [10] * 100), 0.8, 0.01, 0.95)
    assert (together.units, alone.units) == ("speakers", "utterances")
    assert together.design_effect == pytest.approx((10 / 9 * 10 * 20**2) / (100 / 99 * 100 * 2**2))
    assert together.detectable_difference > 3 * alone.detectable_difference


def test_a_baseline_without_errors_promises_no_miracles(scored):
    found = foresee(scored([0] * 10, [10] * 10), 0.8, 0.01, 0.95)
    rate = 2 / 104
    assert found.standard_error == pytest.approx(math.sqrt(0.4 * rate * (1 - rate) / 100))


@pytest.mark.parametrize(("errors", "words"), [([], []), ([1], [5]), ([1, 2], [5, 0]), ([1, 1], [0, 0])])
def test_none_without_two_utterances(scored, errors, words):
    assert foresee(scored(errors, words), 0.8, 0.01, 0.95) is None
