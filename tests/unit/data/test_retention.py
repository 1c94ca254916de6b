"""What a duration limit keeps and loses, and what a random sample of the same size would lose."""

from __future__ import annotations

import random
from dataclasses import replace

from lora.data.retention import retention
from lora.data.row_columns import columns_of
from lora.records.durations import Dropped
from lora.records.manifests import Utterance


def rows(count: int = 200) -> list[Utterance]:
    """Rows of ten speakers and two hundred words, whose durations are independent of both."""
    dice = random.Random(3)
    words = [f"w{n}" for n in range(200)]
    texts = [" ".join(dice.choices(words, k=8)) for _ in range(count)]
    return [
        Utterance(id=f"r{i}", text=text, duration=dice.uniform(1, 20), speaker_id=f"s{i % 10}")
        for i, text in enumerate(texts)
    ]


def dropped(utterances: list[Utterance], threshold: float = 10.0) -> Dropped:
    return retention(columns_of(utterances), [threshold], list).dropped[0]


def test_an_unbiased_filter_loses_as_much_as_a_random_sample() -> None:
    result = dropped(rows())
    assert result.lost_speakers == []
    assert abs(result.lost_word_count - result.expected_lost_word_count) < 3 * result.expected_lost_word_count**0.5 + 3


def test_a_speaker_and_a_word_that_occur_on_long_rows_only() -> None:
    biased = [
        replace(row, duration=15.0, text=f"{row.text} rare rare") if row.speaker_id == "s3" else row for row in rows()
    ]
    result = dropped(biased)
    assert result.lost_speakers == ["s3"]
    assert result.lost_words[0] == "rare"
    assert result.expected_lost_speakers < 0.1
    assert len(result.lost_speaker_probabilities) == 1
    assert 0 < result.lost_speaker_probabilities[0] < 0.1
    assert result.lost_word_share > result.expected_lost_word_share + 0.01


def test_the_curve_rises_to_everything() -> None:
    facts = retention(columns_of(rows()), [10, 5, 10], list)
    limits = [point.threshold for point in facts.curve]
    assert limits[-1] is None
    assert limits[:-1] == sorted({*(limits[:-1]), 5, 10})
    assert [point.rows for point in facts.curve] == sorted(point.rows for point in facts.curve)
    assert facts.curve[-1].rows == 200
    assert [entry.threshold for entry in facts.dropped] == [5, 10]


def test_no_rows_and_no_speakers() -> None:
    facts = retention(columns_of([]), [5], list)
    assert (facts.curve[-1].rows, facts.dropped[0].kept_words_per_second, facts.dropped[0].lost_speakers) == (
        0,
        None,
        [],
    )
    unnamed = dropped([replace(row, speaker_id=None) for row in rows()])
    assert unnamed.lost_speakers == []
