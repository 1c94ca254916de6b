"""The padding grid and batches of one step."""

import pytest

from lora.asr.decoding.padding import GRID_SECONDS, batches, padded_samples


@pytest.mark.parametrize(("n", "padded"), [(0, 16000), (1, 16000), (16000, 16000), (16001, 32000), (48000, 48000)])
def test_pads_to_the_next_step(n: int, padded: int) -> None:
    assert padded_samples(n, 16000) == padded
    assert GRID_SECONDS == 1.0


def test_batches_have_one_step_and_stay_within_limits() -> None:
    lengths = [15000, 30000, 16000, 31000, 32000, 47000, 100, 29000]
    grouped = batches(lengths, 16000, batch_seconds=6.0, batch_size=2)
    assert sorted(position for batch in grouped for position in batch) == list(range(len(lengths)))
    for batch in grouped:
        assert len({padded_samples(lengths[position], 16000) for position in batch}) == 1
        assert len(batch) <= 2
    assert grouped[0] == [5]  # the longest first: memory runs out at once or never


def test_an_utterance_above_the_limit_is_its_own_batch() -> None:
    assert batches([160000, 160000], 16000, batch_seconds=5.0, batch_size=8) == [[0], [1]]
