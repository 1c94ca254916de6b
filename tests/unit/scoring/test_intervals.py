"""Intervals by hand, for degenerate sets, and by simulation."""

import math

import numpy as np
import pytest

from lora.records.transcripts import Transcript
from lora.scoring.corpus_wer import bootstrap_interval, ratio_interval, sampling_units, wer_interval, wer_score


def test_the_linearised_estimator_by_hand():
    # R = 3/20; residuals 0.25, -0.75, 0.5 over the others' shares 0.75, 0.75, 0.5 are 1/3, -1, 1;
    # variance (19/9) / 400; t(2) at 0.975 is 4.302653
    result = wer_interval([1, 0, 2], [5, 5, 10], [None] * 3, 0.95)
    assert result.low == 0.0
    # the half width exceeds R: the upper end is e half widths
    assert result.high == pytest.approx(math.e * 4.302653 * 0.0726483, abs=1e-5)
    assert (result.scope, result.method) == (
        "these_speakers",
        "linearised ratio by utterances, t(2), upper end on the log scale",
    )


def test_speakers_are_the_units_from_five_speakers_on():
    # Ten utterances in five speakers whose sums are (2,10) (0,10) (1,10) (1,10) (1,10): R = 0.1,
    # residuals 1, -1, 0, 0, 0 over 0.8; variance 3.125 / 2500; t(4) at 0.975 is 2.776445
    speakers = [name for name in "abcde" for _ in range(2)]
    result = wer_interval([1, 1, 0, 0, 1, 0, 0, 1, 1, 0], [5] * 10, speakers, 0.95)
    assert result.scope == "speakers"
    assert result.high == pytest.approx(0.1 * math.exp(2.776445 * 0.0353553 / 0.1), abs=1e-6)
    assert result.low == pytest.approx(0.1 - 2.776445 * 0.0353553, abs=1e-6)
    four = wer_interval([1] * 8, [5, 6] * 4, [name for name in "abcd" for _ in range(2)], 0.95)
    assert four.scope == "these_speakers"


def test_a_speaker_with_nearly_all_words_gives_a_finite_interval():
    # the second unit has every word: R = 3/10, residuals 1 and -1, the others' share is taken as 1/2
    result = ratio_interval(sampling_units([1, 2], [0, 10], [None] * 2), 0.95)
    assert result.high == pytest.approx(0.3 + 12.706205 * math.sqrt(1 + 4) / 10, abs=1e-6)


def test_rows_without_a_speaker_are_one_more_unit():
    drawn = sampling_units([1] * 7, [5] * 7, [*"abcde", None, None])
    assert drawn.name == "speakers"
    assert drawn.words.tolist() == [5, 5, 5, 5, 5, 10]


def test_zero_errors_have_an_exact_upper_bound():
    result = wer_interval([0] * 10, [8] * 10, [None] * 10, 0.95)
    assert (result.low, result.high) == (0.0, pytest.approx(1 - 0.025**0.1))
    two = wer_interval([0, 0], [8, 9], [None, None], 0.95)
    assert two.high == pytest.approx(1 - 0.025**0.5)  # 84 %: two rows show nothing


@pytest.mark.parametrize(
    ("errors", "words", "why"),
    [
        ([1], [5], "one utterance"),
        ([0], [5], "one utterance"),
        ([2, 1], [0, 0], "no reference word"),
        ([], [], "no ref"),
    ],
)
def test_sets_without_an_interval(errors, words, why):
    result = wer_interval(errors, words, [None] * len(words), 0.95)
    assert (result.low, result.high, result.scope) == (None, None, "none")
    assert result.method.startswith(why)


def test_wer_may_exceed_one_and_the_upper_bound_is_not_clipped():
    result = wer_interval([10, 2, 9, 1], [4, 4, 4, 4], [None] * 4, 0.95)
    assert result.high > 1.375


def test_corpus_wer_is_not_the_mean_of_utterances(scored):
    entries = scored([1, 0, 3], [1, 9, 0])
    texts = {
        e.id: Transcript(id=e.id, reference="", hypothesis="", duration=1, truncated=e.id == "u01") for e in entries
    }
    result = wer_score(entries, texts, 0.95, 0)
    assert result.wer == pytest.approx(4 / 10)
    assert (result.errors, result.substitutions, result.insertions, result.words) == (4, 1, 3, 10)
    assert (result.empty_references, result.truncated, result.speakers) == (["u02"], 1, None)
    assert result.bootstrap is None
    assert wer_score([], {}, 0.95, 100).wer is None


def test_the_bootstrap_is_seeded_and_close_to_the_estimator():
    draw = np.random.default_rng(1)
    words = draw.integers(5, 25, 400)
    drawn = sampling_units(draw.binomial(words, 0.2), words, [None] * 400)
    first, again = (bootstrap_interval(drawn, 0.95, 4000) for _ in range(2))
    analytic = ratio_interval(drawn, 0.95)
    assert first == again
    assert first.low == pytest.approx(analytic.low, abs=0.002)
    assert first.high == pytest.approx(analytic.high, abs=0.002)


def test_the_bootstrap_draws_whole_speakers():
    speakers = [name for name in "abcdef" for _ in range(50)]
    errors = [1 if name in "abc" else 0 for name in speakers]
    blocked = bootstrap_interval(sampling_units(errors, [5] * 300, speakers), 0.95, 2000)
    alone = bootstrap_interval(sampling_units(errors, [5] * 300, [None] * 300), 0.95, 2000)
    assert blocked.high - blocked.low > 4 * (alone.high - alone.low)
    assert bootstrap_interval(sampling_units([0, 0], [5, 5], [None, None]), 0.95, 2000) is None


def test_coverage_by_simulation_with_correlated_speakers():
    """600 sets: 20 speakers of 10 utterances, log-normal speaker and utterance effects, true WER 0.12."""
    draw = np.random.default_rng(11)
    speakers = [str(i // 10) for i in range(200)]
    covered = by_utterance = 0
    for _ in range(600):
        effect = np.exp(draw.normal(-0.08, 0.4, 20)).repeat(10) * np.exp(draw.normal(-0.045, 0.3, 200))
        words = draw.integers(5, 30, 200)
        errors = draw.poisson(0.12 * effect * words)
        clustered = ratio_interval(sampling_units(errors, words, speakers), 0.95)
        single = ratio_interval(sampling_units(errors, words, [None] * 200), 0.95)
        covered += clustered.low <= 0.12 <= clustered.high
        by_utterance += single.low <= 0.12 <= single.high
    assert 0.92 <= covered / 600 <= 0.98
    assert by_utterance < covered - 60
