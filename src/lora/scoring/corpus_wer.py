"""Corpus WER and CER of a set of scored utterances: all errors over all reference words, and the same of characters.

Confidence intervals of corpus WER and of differences of it.

Corpus WER is a ratio of sums, R = E/W. Its variance is that of the linearised ratio estimator (Cochran
1977, Sampling Techniques, chapter 6; for clusters chapter 9A): with residuals d_i = e_i - R w_i summed to
D_k within cluster k that holds W_k words,
    var(R) = sum((D_k / (1 - W_k/W))^2) / W^2,
and Student's t with K-1 degrees of freedom. The divisor 1 - W_k/W takes each cluster's pull on R out of its own
residual (CR3, MacKinnon & White 1985; Bell & McCaffrey 2002): without it, intervals of few speakers with unequal
amounts of speech are too short (docs/methods.md has the figures). Clusters are speakers from `MIN_SPEAKERS` on,
since utterances of a speaker err together; below that they are utterances, and the interval holds for these
speakers only.
The percentile bootstrap of whole clusters (Bisani & Ney 2004; blockwise: Liu & Peng 2020, arXiv 1912.09508)
is given beside it.
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
    """Utterances with an empty reference count with their insertions and are named; no word at all gives no
    WER.
    """
    errors = [entry.errors for entry in scored]
    words = [entry.words for entry in scored]
    speakers = [entry.speaker_id for entry in scored]
    total, characters = sum(words), sum(entry.characters for entry in scored)
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
AT_ONCE = 500  # replicates
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Units:
    """What is drawn independently. `errors` and `words` are sums a unit, shape (K,); errors may be
    differences.
    """

    errors: Floats
    words: Floats
    name: Literal["speakers", "utterances"]

    @property
    def scope(self) -> Literal["speakers", "these_speakers"]:
        return "speakers" if self.name == "speakers" else "these_speakers"


def sampling_units(errors: Sequence[float], words: Sequence[float], speakers: Sequence[str | None]) -> Units:
    """Speakers where at least `MIN_SPEAKERS` are known (rows without one form one more), else utterances."""
    if len(set(speakers) - {None}) < MIN_SPEAKERS:
        return Units(np.asarray(errors, float), np.asarray(words, float), "utterances")
    number: dict[str | None, int] = {}
    index = np.asarray([number.setdefault(speaker, len(number)) for speaker in speakers])
    sums = [np.bincount(index, weights=np.asarray(values, float)).astype(float) for values in (errors, words)]
    return Units(sums[0], sums[1], "speakers")


def ratio_variance(drawn: Units) -> float:
    """Variance of sum(errors)/sum(words); needs two units and one word.

    A unit that holds nearly all words is taken to leave the others at least 1/K of them.
    """
    total = drawn.words.sum()
    residuals = drawn.errors - drawn.errors.sum() / total * drawn.words
    others = np.maximum(1.0 - drawn.words / total, 1.0 / len(residuals))
    return float(np.square(residuals / others).sum() / total**2)


def t_quantile(probability: float, drawn: Units) -> float:
    return float(stdtrit(len(drawn.words) - 1, probability))


def ratio_interval(drawn: Units, confidence: float) -> Interval:
    """Interval of a ratio or of a difference of ratios, not clipped; no interval from a single unit or
    without words.
    """
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

    WER is skewed: few hard speakers or utterances carry many errors, and a set that happens to lack them has both a low
    WER and a low variance. The upper end is therefore taken on the log scale, R exp(h / R) with the half width h; where
    h exceeds R it goes on as the tangent, e h, so that tiny sets stay finite.
    Without any error the variance estimate is 0 and says nothing. The upper bound is then that of the share
    of utterances with errors, 1 - a^(1/n) with a = (1 - confidence)/2 (Clopper & Pearson 1934): words of an
    utterance are not independent, and an erring utterance is taken to be wrong in every word.
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
    """Percentile bootstrap over whole units, seeded; None without replicates, interval or error to draw.

    Units with equal (errors, words) are drawn together, as one multinomial count a distinct pair: the same
    distribution, at the cost of distinct pairs instead of units.
    """
    count = len(drawn.words)
    if replicates < 1 or count < 2 or drawn.words.sum() <= 0 or not drawn.errors.any():
        return None
    pairs, multiplicity = np.unique(np.stack([drawn.errors, drawn.words], 1), axis=0, return_counts=True)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    parts = [min(AT_ONCE, replicates - done) for done in range(0, replicates, AT_ONCE)]  # counts that fit a cache
    sums = np.concatenate([generator.multinomial(count, multiplicity / count, size=part) @ pairs for part in parts])
    ratios = sums[sums[:, 1] > 0]
    low, high = np.quantile(ratios[:, 0] / ratios[:, 1], [0.5 - confidence / 2, 0.5 + confidence / 2])
    method = f"percentile bootstrap of {drawn.name}, {replicates} replicates, seed {BOOTSTRAP_SEED}"
    return Interval(low=float(low), high=float(high), confidence=confidence, method=method, scope=drawn.scope)


def no_interval(confidence: float, why: str) -> Interval:
    return Interval(low=None, high=None, confidence=confidence, method=why, scope="none")
