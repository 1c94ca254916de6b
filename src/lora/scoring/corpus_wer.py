"""Corpus WER and CER (all errors over all reference words or characters) with confidence intervals.

Corpus WER is a ratio of sums, R = E/W. Its variance is that of the linearised ratio estimator (Cochran 1977, Sampling
Techniques, chapter 6; for clusters chapter 9A): with residuals d_i = e_i - R w_i summed to D_k within cluster k of W_k
words,
    var(R) = sum((D_k / (1 - W_k/W))^2) / W^2,
and Student's t with K-1 degrees of freedom. The divisor 1 - W_k/W corrects each cluster's residual for its own
influence on R (CR3, MacKinnon & White 1985; Bell & McCaffrey 2002): without it, intervals of few speakers with unequal
amounts of speech are too short (figures in docs/methods.md). Clusters are speakers from `MIN_SPEAKERS` on, because
errors of a speaker are correlated; with fewer speakers they are utterances, and the interval is valid for these
speakers only. The percentile bootstrap of whole clusters (Bisani & Ney 2004; blockwise: Liu & Peng 2020, arXiv
1912.09508) is reported in addition.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import stdtrit

from lora.records.scores import Interval, UtteranceErrors, WerScore
from lora.records.transcripts import Transcript


def wer_score(
    scored: Sequence[UtteranceErrors],
    transcripts: Mapping[str, Transcript],
    confidence: float,
    replicates: int,
) -> WerScore:
    """Corpus WER and CER of a set of utterances.

    Utterances with an empty reference count with their insertions and are listed. Without any reference word there is
    no WER.

    Args:
        scored: errors of the utterances.
        transcripts: their transcripts by id.
        confidence: of the intervals, such as 0.95.
        replicates: of the bootstrap; 0 skips it.
    """
    errors = [entry.errors for entry in scored]
    words = [entry.words for entry in scored]
    speakers = [entry.speaker_id for entry in scored]
    total = sum(words)
    characters = sum(entry.characters for entry in scored)
    character_errors = sum(entry.character_errors for entry in scored)
    return WerScore(
        utterances=len(scored),
        speakers=len(set(speakers) - {None}) or None,
        words=total,
        errors=sum(errors),
        substitutions=sum(entry.substitutions for entry in scored),
        deletions=sum(entry.deletions for entry in scored),
        insertions=sum(entry.insertions for entry in scored),
        wer=sum(errors) / total if total else None,
        characters=characters,
        character_errors=character_errors,
        cer=character_errors / characters if characters else None,
        interval=wer_interval(errors, words, speakers, confidence),
        bootstrap=bootstrap_interval(sampling_units(errors, words, speakers), confidence, replicates),
        empty_references=sorted(entry.id for entry in scored if entry.words == 0),
        truncated=sum(transcripts[entry.id].truncated for entry in scored),
    )


MIN_SPEAKERS = 5
BOOTSTRAP_SEED = 20260101
AT_ONCE = 500  # replicates; sizes for which counts fit the CPU cache
MANY_PAIRS = 1_000  # distinct (errors, words)
UNITS_PER_PAIR = 16  # that are drawn one by one in the time of a binomial draw for their pair
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """Independent sampling units, speakers or utterances.

    Attributes:
        errors: sum per unit, shape (K,); differences of errors for a comparison.
        words: reference words per unit, shape (K,).
        name: the kind of unit.
    """

    errors: Floats
    words: Floats
    name: Literal["speakers", "utterances"]

    @property
    def scope(self) -> Literal["speakers", "these_speakers"]:
        return "speakers" if self.name == "speakers" else "these_speakers"


def sampling_units(errors: Sequence[float], words: Sequence[float], speakers: Sequence[str | None]) -> Units:
    """Speakers where at least `MIN_SPEAKERS` are known (rows without a speaker form one more), else utterances."""
    return sums_by_unit(errors, words, unit_numbers(speakers))


def unit_numbers(speakers: Sequence[str | None]) -> npt.NDArray[np.intp] | None:
    """The number of each row's speaker, in order of appearance; None where utterances are the units."""
    if len(set(speakers) - {None}) < MIN_SPEAKERS:
        return None
    number: dict[str | None, int] = {}
    return np.asarray([number.setdefault(speaker, len(number)) for speaker in speakers], dtype=np.intp)


def sums_by_unit(errors: npt.ArrayLike, words: npt.ArrayLike, numbers: npt.NDArray[np.intp] | None) -> Units:
    """Errors and words of each unit, with the result of `unit_numbers`."""
    if numbers is None:
        return Units(np.asarray(errors, float), np.asarray(words, float), "utterances")
    sums = [np.bincount(numbers, weights=np.asarray(values, float)).astype(float) for values in (errors, words)]
    return Units(sums[0], sums[1], "speakers")


def ratio_variance(drawn: Units) -> float:
    """Variance of sum(errors)/sum(words), see the module; needs two units and one word."""
    return float(np.square(linearised_residuals(drawn.errors, drawn.words)).sum())


def linearised_residuals(errors: Floats, words: Floats) -> Floats:
    """What each unit contributes to the error of sum(errors)/sum(words); the sum of their squares is its variance.

    The divisor 1 - W_k/W is at least 1/K, for a unit that contains nearly all words.

    Args:
        errors: sums per unit, shape (K,), or one row per run, shape (S, K).
        words: reference words per unit, shape (K,).
    """
    total = words.sum()
    ratio = errors.sum(-1, keepdims=True) / total
    others = np.maximum(1.0 - words / total, 1.0 / len(words))
    residuals: Floats = (errors - ratio * words) / others / total
    return residuals


def t_quantile(probability: float, drawn: Units) -> float:
    return float(stdtrit(len(drawn.words) - 1, probability))


def ratio_interval(drawn: Units, confidence: float) -> Interval:
    """Interval of a ratio or a difference of ratios, not clipped; without bounds for a single unit or no words."""
    if drawn.words.sum() <= 0:
        return no_interval(confidence, "no reference word: no WER")
    if len(drawn.words) < 2:
        return no_interval(confidence, "one utterance: no interval")
    ratio = float(drawn.errors.sum() / drawn.words.sum())
    half = t_quantile(0.5 + confidence / 2, drawn) * math.sqrt(ratio_variance(drawn))
    method = f"linearised ratio by {drawn.name}, t({len(drawn.words) - 1})"
    return Interval(low=ratio - half, high=ratio + half, confidence=confidence, method=method, scope=drawn.scope)


def wer_interval(
    errors: Sequence[int], words: Sequence[int], speakers: Sequence[str | None], confidence: float
) -> Interval:
    """Interval of corpus WER, clipped at 0 only (WER may exceed 1).

    WER is skewed: few hard speakers or utterances have many of the errors, and a set that happens to lack them has both
    a low WER and a low variance. The upper bound is therefore computed on the log scale, R exp(h / R) with half width
    h, and beyond h = R on its tangent, e h, so that it stays finite for tiny sets.
    Without any error the variance estimate is 0 and uninformative. The upper bound is then that of the share of
    utterances with errors, 1 - a^(1/n) with a = (1 - confidence)/2 (Clopper & Pearson 1934), as if every word of such
    an utterance were wrong, because words of an utterance are not independent.
    """
    drawn = sampling_units(errors, words, speakers)
    counted = sum(count > 0 for count in words)
    if sum(words) > 0 and sum(errors) == 0 and counted > 1:
        high = 1.0 - ((1.0 - confidence) / 2.0) ** (1.0 / counted)
        method = f"zero errors in {counted} utterances: exact upper bound of the share of utterances that err"
        return Interval(low=0.0, high=high, confidence=confidence, method=method, scope="these_speakers")
    linear = ratio_interval(drawn, confidence)
    if linear.low is None or linear.high is None or sum(errors) == 0:
        return linear
    ratio = sum(errors) / sum(words)
    half = linear.high - ratio
    high = ratio * math.exp(half / ratio) if half <= ratio else math.e * half
    method = f"{linear.method}, upper end on the log scale"
    return linear.model_copy(update={"low": max(0.0, linear.low), "high": high, "method": method})


def bootstrap_interval(drawn: Units, confidence: float, replicates: int) -> Interval | None:
    """Percentile bootstrap over whole units with a fixed seed; None without replicates, interval or errors."""
    if replicates < 1 or len(drawn.words) < 2 or drawn.words.sum() <= 0 or not drawn.errors.any():
        return None
    sums = _resampled(drawn, replicates)
    ratios = sums[sums[:, 1] > 0]
    low, high = np.quantile(ratios[:, 0] / ratios[:, 1], [0.5 - confidence / 2, 0.5 + confidence / 2])
    method = f"percentile bootstrap of {drawn.name}, {replicates} replicates, seed {BOOTSTRAP_SEED}"
    return Interval(low=float(low), high=float(high), confidence=confidence, method=method, scope=drawn.scope)


def _resampled(drawn: Units, replicates: int) -> Floats:
    """Errors and words of `replicates` samples of as many units as there are, shape (replicates, 2).

    Units with equal (errors, words) are drawn together, as one multinomial count per distinct pair: the same
    distribution, in time proportional to the distinct pairs. Where there are many, units are drawn one by one.
    """
    count = len(drawn.words)
    units = np.stack([drawn.errors, drawn.words], 1)
    pairs, multiplicity = np.unique(units, axis=0, return_counts=True)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    if len(pairs) > max(MANY_PAIRS, count / UNITS_PER_PAIR):
        samples = (generator.integers(0, count, size=count, dtype=np.int32) for _ in range(replicates))
        return np.array([np.bincount(sample, minlength=count) @ units for sample in samples])
    parts = [min(AT_ONCE, replicates - done) for done in range(0, replicates, AT_ONCE)]
    return np.concatenate([generator.multinomial(count, multiplicity / count, size=part) @ pairs for part in parts])


def no_interval(confidence: float, why: str) -> Interval:
    return Interval(low=None, high=None, confidence=confidence, method=why, scope="none")
