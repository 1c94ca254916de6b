"""What a duration limit loses beyond chance: speakers, words, or one kind of speaking rate.

Losses are compared with those of a random sample: rare words and speakers with few rows disappear from any smaller set.
"""

from __future__ import annotations

import math
from typing import Any, Protocol

from lora.records.durations import Dropped

ENOUGH_ROWS = 20  # removed rows from which their speaking rate is compared
SIGMAS = 3.0  # standard deviations (Poisson) above the loss of a random sample
UNLIKELY = 0.001  # probability that a random sample removes all rows of at least one speaker


class Tolerated(Protocol):
    """Largest losses beyond chance that are no bias, as shares; relative for the speaking rate."""

    @property
    def max_lost_speakers(self) -> float: ...
    @property
    def max_lost_words(self) -> float: ...
    @property
    def max_rate_difference(self) -> float: ...


def bias_signs(rules: Tolerated, speakers: int | None, dropped: Dropped) -> list[dict[str, Any]]:
    """Ways in which the removed rows differ from the rest, each with its code (`sign`) and numbers.

    Args:
        rules: What is tolerated (`integrity` of the configuration).
        speakers: Known speakers of the training manifest.
        dropped: What the limit removes.
    """
    signs: list[dict[str, Any]] = []
    lost = len(dropped.lost_speakers)
    expected = dropped.expected_lost_speakers
    if speakers and (lost - expected) / speakers > rules.max_lost_speakers and _beyond_chance(lost, expected):
        signs.append(
            {
                "sign": "speakers_lost",
                "lost": lost,
                "speakers": speakers,
                "expected": expected,
                "names": dropped.lost_speakers,
            }
        )
    elif speakers:
        # Many speakers with one or two rows hide one with many, who would hardly ever disappear by chance.
        odds = zip(dropped.lost_speakers, dropped.lost_speaker_probabilities, strict=False)
        singled_out = [name for name, probability in odds if probability * speakers < UNLIKELY]
        if len(singled_out) > rules.max_lost_speakers * speakers:
            signs.append({"sign": "speakers_removed", "speakers": speakers, "names": singled_out})
    excess = dropped.lost_word_share - dropped.expected_lost_word_share
    if excess > rules.max_lost_words and _beyond_chance(dropped.lost_word_count, dropped.expected_lost_word_count):
        signs.append(
            {
                "sign": "words_lost",
                "lost": dropped.lost_word_count,
                "share": dropped.lost_word_share,
                "expected_share": dropped.expected_lost_word_share,
                "names": dropped.lost_words,
            }
        )
    remaining = dropped.kept_words_per_second
    removed = dropped.dropped_words_per_second
    if not remaining or removed is None or dropped.rows < ENOUGH_ROWS:
        return signs
    if abs(removed / remaining - 1) > rules.max_rate_difference:
        signs.append({"sign": "speaking_rate", "removed": removed, "remaining": remaining})
    return signs


def _beyond_chance(lost: int, expected: float) -> bool:
    return lost - expected > SIGMAS * math.sqrt(expected)
