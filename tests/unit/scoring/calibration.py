"""Coverage of the intervals and how often equal runs are called different, by simulation with the shipped code.

    PYTHONPATH=src python tests/unit/scoring/calibration.py          # the table of docs/methods.md, about a minute

Two runs have the same true WER, 12 %, and share 60 % of their errors. Words of an utterance: 3 to 30. Errors of an
utterance are Poisson with a log-normal factor of its own (coefficient of variation 0.5) and one of its speaker, who
is equally hard for the errors that both runs share and differs for each run's own. Speakers have unequal amounts of
speech: their shares are Dirichlet (4), so that the most talkative of ten has about twice the average.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy.special import stdtrit

from lora.scoring.corpus_wer import Units, ratio_interval, sampling_units, wer_interval
from lora.scoring.paired import outcome

SETS = 5000
SEED = 7
WER, SHARED, CONFIDENCE, MARGIN = 0.12, 0.6, 0.95, 0.005
SIZES = [(5, 100), (6, 100), (7, 100), (8, 100), (9, 100), (10, 100), (10, 500), (20, 200), (40, 400)]
# Coefficient of variation of the speakers' error rates: none; as among readers of one kind; strongly skewed.
SPREADS = {"none": 0.0, "0.4": 0.4, "0.8": 0.8}


HEADER = ["spread", "speakers", "utterances", "coverage", "type-I error"]
HEADER += ["coverage, linear upper end", "coverage, textbook", "type-I, textbook"]


class Figures(NamedTuple):
    """Shares of sets. `coverage` is of one run's true WER by its interval; `type_one` is `better` or `worse` between
    runs that are equal. `linear` has R + half width as its upper end; `textbook` also has the variance with K/(K-1) in
    place of the divisor by the other units' share.
    """

    coverage: float
    type_one: float
    linear_coverage: float
    textbook_coverage: float
    textbook_type_one: float


def simulate(spread: str, speakers: int, utterances: int, sets: int = SETS) -> Figures:
    draw = np.random.default_rng([SEED, speakers, utterances, round(100 * SPREADS[spread])])
    return Figures(*np.mean([_one_set(draw, SPREADS[spread], speakers, utterances) for _ in range(sets)], axis=0))


def _one_set(draw: np.random.Generator, variation: float, speakers: int, utterances: int) -> tuple[bool, ...]:
    of = draw.choice(speakers, utterances, p=draw.dirichlet(np.full(speakers, 4.0)))
    of[:speakers] = range(speakers)
    words = draw.integers(3, 31, utterances)
    rate = WER * words * _factor(draw, utterances, 0.5)
    hard = [_factor(draw, speakers, variation)[of] for _ in range(3)]
    shared = draw.poisson(SHARED * rate * hard[0])
    base, tuned = (shared + draw.poisson((1 - SHARED) * rate * own) for own in hard[1:])
    names = [str(speaker) for speaker in of]
    single, pair = sampling_units(base, words, names), sampling_units(tuned - base, words, names)
    interval, linear = wer_interval(base, words, names, CONFIDENCE), ratio_interval(single, CONFIDENCE)
    changed = int((tuned != base).sum())
    return (
        interval.low <= WER <= interval.high,
        outcome(ratio_interval(pair, CONFIDENCE), changed, changed, changed, MARGIN) in {"better", "worse"},
        linear.low <= WER <= linear.high,
        abs(base.sum() / words.sum() - WER) <= _textbook(single),
        abs((tuned - base).sum() / words.sum()) > _textbook(pair),
    )


def _textbook(drawn: Units) -> float:
    """Half width with var(R) = K/(K-1) sum(D_k^2) / W^2."""
    count, total = len(drawn.words), drawn.words.sum()
    residuals = drawn.errors - drawn.errors.sum() / total * drawn.words
    variance = count / (count - 1) * np.square(residuals).sum() / total**2
    return float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2) * np.sqrt(variance))


def everything() -> Iterator[tuple[str, int, int, Figures]]:
    for spread in SPREADS:
        for speakers, utterances in SIZES:
            yield spread, speakers, utterances, simulate(spread, speakers, utterances)


def line(spread: str, speakers: int, utterances: int, figures: Figures) -> str:
    shares = " | ".join(f"{100 * share:.1f} %" for share in figures)
    return f"| {spread} | {speakers} | {utterances} | {shares} |"


def _factor(draw: np.random.Generator, size: int, variation: float) -> np.ndarray:
    """Log-normal with mean 1 and this coefficient of variation."""
    sigma = np.sqrt(np.log(1 + variation**2))
    return np.exp(draw.normal(-(sigma**2) / 2, sigma, size))


def main() -> int:
    print(f"| {' | '.join(HEADER)} |\n|{'---|' * len(HEADER)}")
    for row in everything():
        print(line(*row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
