"""The split: whole speakers where possible, never empty, independent of row order."""

import random

import pytest

from lora.data.splits import sizes, split
from lora.records.manifests import Utterance


def rows(counts, seconds=2.0):
    """`counts`: rows per speaker; a key of None is a row without a speaker."""
    return [
        Utterance(id=f"{speaker}-{i:03}", text="x", duration=seconds, audio="a.wav", speaker_id=speaker)
        for speaker, count in counts.items()
        for i in range(count)
    ]


def test_whole_speakers_are_as_close_to_the_fraction_as_possible():
    counts = {f"s{i}": n for i, n in enumerate((40, 30, 13, 9, 8))}
    parts = split(rows(counts), None, 0.17, True, 1)
    assert parts.method == "speaker"
    assert {row.speaker_id for row in parts.val} == {"s3", "s4"}  # 9 + 8 = 17 exactly
    assert not {r.speaker_id for r in parts.val} & {r.speaker_id for r in parts.train}


@pytest.mark.parametrize("by_speaker", [True, False])
def test_order_of_rows_does_not_matter_but_the_seed_does(by_speaker):
    data = rows({f"s{i}": 5 for i in range(20)})
    shuffled = random.Random(3).sample(data, len(data))
    first = split(data, 5, 0.1, by_speaker, 13)
    assert split(shuffled, 5, 0.1, by_speaker, 13) == first
    assert split(data, 5, 0.1, by_speaker, 14) != first
    assert (len(first.train), len(first.val)) == (90, 10)


def test_the_split_is_pinned_across_platforms():
    parts = split(rows({f"s{i}": 5 for i in range(20)}), None, 0.1, True, 13)
    assert sorted({row.speaker_id for row in parts.val}) == ["s10", "s4"]


def test_too_long_rows_are_in_neither_part():
    data = rows({"a": 3, "b": 3}, 2.0) + rows({"c": 4}, 9.0)
    parts = split(data, 8.0, 0.2, False, 1)
    assert [row.speaker_id for row in parts.too_long] == ["c"] * 4
    assert [size.rows for size in sizes(parts)] == [5, 1, 4]
    assert sizes(parts)[2].hours == pytest.approx(0.01)


@pytest.mark.parametrize(
    "counts", [{None: 10}, {"only": 10}, {"a": 50, "b": 50}], ids=["no speakers", "one speaker", "two equal"]
)
def test_rows_are_split_where_speakers_cannot_be(counts):
    parts = split(rows(counts), None, 0.1, True, 1)
    assert parts.method == "row"
    assert len(parts.val) == sum(counts.values()) // 10


def test_rows_without_a_speaker_stay_in_training():
    parts = split(rows({None: 20, "a": 40, "b": 5, "c": 5}), None, 0.07, True, 1)
    assert parts.method == "speaker"
    assert {row.speaker_id for row in parts.val} < {"b", "c"}
    assert sum(row.speaker_id is None for row in parts.train) == 20


@pytest.mark.parametrize(("count", "fraction", "val"), [(0, 0.1, 0), (1, 0.1, 0), (2, 0.1, 1), (3, 0, 1), (2, 1, 1)])
def test_validation_is_never_empty_from_two_rows_on(count, fraction, val):
    parts = split(rows({None: count}), None, fraction, True, 1)
    assert (len(parts.train), len(parts.val)) == (count - val, val)


def test_many_speakers_use_the_approximate_search(monkeypatch):
    monkeypatch.setattr("lora.data.splits.EXACT_SEARCH", 0)
    parts = split(rows({f"s{i}": 5 for i in range(20)}), None, 0.1, True, 13)
    assert (parts.method, len(parts.val)) == ("speaker", 10)
