"""Coverage and type I error of the intervals in simulation, and docs/methods.md states these figures."""

from pathlib import Path

import calibration
import pytest

METHODS = Path(__file__).parents[3] / "docs" / "methods.md"


@pytest.mark.slow
def test_coverage_and_type_one_error_of_five_thousand_sets():
    stated = METHODS.read_text(encoding="utf-8")
    for spread, speakers, utterances, figures in calibration.everything():
        message = calibration.line(spread, speakers, utterances, figures)
        assert message in stated, f"docs/methods.md does not state {message}"
        assert figures.type_one <= 0.065, message
        assert figures.coverage >= 0.935, message


def test_the_simulation_is_seeded_and_close_to_the_nominal_coverage():
    first, again = (calibration.simulate("0.4", 10, 100, sets=150) for _ in "12")
    assert first == again
    assert first.coverage >= 0.89
    assert first.type_one <= 0.10
