"""Sizes of splits with many seeds and thresholds equal those of the split itself."""

from __future__ import annotations

import random
import time

import pytest

from lora.data.durations import speakers
from lora.data.splits import seeded_splits, split, split_options, split_stability
from lora.records.manifests import Utterance


def rows(counts: dict[str | None, int], seconds: float = 2.0) -> list[Utterance]:
    """`counts`: rows per speaker; a key of None is a row without a speaker."""
    return [
        Utterance(id=f"{speaker}-{i:03}", text="x", duration=seconds, audio="a.wav", speaker_id=speaker)
        for speaker, count in counts.items()
        for i in range(count)
    ]


def mixed(speaker_count: int) -> list[Utterance]:
    dice = random.Random(7)
    return [
        Utterance(
            id=f"r{i}",
            text="x",
            duration=dice.uniform(1, 20),
            audio="a.wav",
            speaker_id=None if i % 11 == 0 else f"s{dice.randrange(speaker_count)}",
        )
        for i in range(150)
    ]


@pytest.mark.parametrize("by_speaker", [True, False])
@pytest.mark.parametrize("data", [mixed(12), mixed(1), mixed(2), rows({None: 30}), rows({"a": 1}), []])
def test_sizes_equal_those_of_the_split(data: list[Utterance], by_speaker: bool) -> None:
    thresholds = [0.5, 5, 12, None]
    result = seeded_splits(data, thresholds, 0.1, by_speaker, range(3, 9))
    for threshold, splits in zip(thresholds, result, strict=True):
        for entry in splits:
            train = split(data, threshold, 0.1, by_speaker, entry.seed).train
            assert (entry.train_rows, entry.train_speakers) == (len(train), speakers(train))


def test_an_option_has_the_sizes_of_its_split() -> None:
    data = rows({f"s{i}": 5 for i in range(20)}, 3.6) + rows({"long": 7}, 20)
    (result,) = split_options(data, [8.0], 0.1, True, 13)
    assert (result.rows, result.train_rows, result.val_rows, result.speakers) == (100, 90, 10, 20)
    assert (result.seeded_train_rows, result.fewest_train_speakers) == ([90] * 20, 18)
    assert result.hours == pytest.approx(0.1)


def test_speakers_of_equal_size_give_the_same_sizes_for_every_seed() -> None:
    facts = split_stability(rows({f"s{i}": 5 for i in range(20)}), None, 0.1, True, 13)
    assert [entry.seed for entry in facts.splits] == list(range(13, 33))
    assert {(entry.train_rows, entry.train_speakers) for entry in facts.splits} == {(90, 18)}
    assert facts.speakers == 20


def test_many_speakers_of_one_row_may_all_go_to_validation() -> None:
    facts = split_stability(rows({"a": 60, **{f"s{i}": 1 for i in range(10)}}), None, 0.15, True, 1)
    assert min(entry.train_speakers or 0 for entry in facts.splits) == 1
    assert split_stability([], None, 0.1, True, 1).speakers is None


@pytest.mark.parametrize("by_speaker", [True, False])
def test_many_rows_take_seconds(by_speaker: bool) -> None:
    data = rows({f"s{i}": 20 for i in range(500)})
    started = time.process_time()
    split_options(data, [1, 2, 3, 4, 5], 0.1, by_speaker, 13)
    assert time.process_time() - started < 20
