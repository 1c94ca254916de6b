"""Shares of the training rows, and general speech that is mixed into every batch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import Train

from lora.asr.decoding.audio_store import Rows
from lora.asr.training.data import plan_batches, share_of_rows
from lora.asr.training.replay import joined, plan_with_replay, replay_facts
from lora.data.manifest import read_manifest
from lora.records.base import write_text
from lora.records.manifests import Utterance

STEPS = [1] * 13 + [2] * 8 + [3]
OWN = len(STEPS)


def utterance(number: int, duration: float = 1.0) -> Utterance:
    return Utterance(id=f"u{number}", audio=f"{number}.wav", text="words", duration=duration)


def test_a_smaller_share_of_the_rows_is_part_of_a_larger_one() -> None:
    rows = [utterance(number) for number in range(40)]
    shares = [share_of_rows(rows, share, seed=13) for share in (0.01, 0.25, 0.5, 1.0)]
    assert [len(some) for some in shares] == [1, 10, 20, 40]
    ids = [{row.id for row in some} for some in shares]
    assert ids[0] < ids[1] < ids[2] < ids[3]
    assert shares[3] == rows
    assert ids[2] != {row.id for row in share_of_rows(rows, 0.5, seed=14)}
    assert ids[2] == {row.id for row in share_of_rows(rows[::-1], 0.5, seed=13)}


@pytest.mark.parametrize(("size", "share"), [(4, 0.25), (8, 0.2), (10, 0.5), (5, 0.3), (10, 0.9), (3, 0.1)])
def test_batches_contain_the_share_of_replay(size: int, share: float) -> None:
    replayed = [1] * 6 + [2] * 3 + [3] * 2
    count = 300
    plan = plan_with_replay(STEPS, replayed, size, count, seed=7, share=share)
    assert plan == plan_with_replay(STEPS, replayed, size, count, seed=7, share=share)
    assert plan != plan_with_replay(STEPS, replayed, size, count, seed=8, share=share)
    steps = [*STEPS, *replayed]
    assert all(len({steps[row] for row in batch}) == 1 and len(batch) <= size for batch in plan)
    assert all(any(row < OWN for row in batch) for batch in plan)
    rows = [row for batch in plan for row in batch]
    assert sum(row >= OWN for row in rows) / len(rows) == pytest.approx(share, abs=0.01)
    uses = [rows.count(OWN + number) for number in range(6)]  # those of one padding step, in turn
    assert max(uses) - min(uses) <= 1


def test_without_replay_the_plan_is_that_of_training() -> None:
    assert plan_with_replay(STEPS, [], 4, 20, seed=7, share=0.0) == plan_batches(STEPS, 4, 20, seed=7)


def test_where_no_row_fits_the_share_is_below_what_was_asked_and_said() -> None:
    rows = [*(utterance(number, duration=step) for number, step in enumerate(STEPS)), utterance(90, duration=2.0)]
    plan = plan_with_replay(STEPS, [2], 4, 60, seed=7, share=0.25)
    facts = replay_facts(rows, OWN, plan, 0.25)
    assert (facts.share, facts.available_rows, facts.used_rows) == (0.25, 1, 1)
    used = [row for batch in plan for row in batch]
    replayed = used.count(OWN)
    assert 0 < replayed / len(used) < 0.25
    assert facts.row_share == replayed / len(used)
    assert facts.seconds_share == pytest.approx(2 * replayed / sum(rows[row].duration for row in used))
    assert replay_facts(rows, OWN, [], 0.25).row_share is None


def test_joined_rows_keep_their_audio(make_manifest: Callable[..., Path], tmp_path: Path) -> None:
    train, other = (read_manifest(make_manifest(name, [0.5])) for name in ("training", "general"))
    both = joined(Rows(train.rows, train.folder), Rows(other.rows, Path("elsewhere")))
    assert both.rows[0] == train.rows[0]
    assert both.rows[1].audio == str(Path.cwd() / "elsewhere" / str(other.rows[0].audio))


def test_training_records_what_it_was_given(train: Train, make_manifest: Callable[..., Path], tmp_path: Path) -> None:
    general = make_manifest("general", [0.6, 0.9, 1.4, 1.8, 2.2], first_seed=80)
    replay = ["--replay-share", "0.34", "--replay-path", str(general)]
    alone = train("alone")
    mixed = train("mixed", *replay)
    assert alone.replay is None
    assert mixed.replay is not None
    assert (mixed.replay.share, mixed.replay.available_rows) == (0.34, 5)
    assert mixed.replay.row_share == pytest.approx(0.34, abs=0.05)
    assert 0 < (mixed.replay.seconds_share or 0) < 1
    half = train("half", "--data-share", "0.5")
    assert (alone.available_rows, alone.train_rows, half.available_rows, half.train_rows) == (9, 9, 9, 5)
    assert (half.optimizer_steps, alone.optimizer_steps) == (5, 5)
    weights = {
        (tmp_path / f"adapters/{name}/last/adapter_model.safetensors").read_bytes()
        for name in ("alone", "mixed", "half")
    }
    assert len(weights) == 3


def test_replay_without_rows(train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        train("nowhere", "--replay-share", "0.5")
    assert "--replay-path" in capsys.readouterr().err
    with pytest.raises(AssertionError):
        train("crowded", "--replay-share", "0.7", "--replay-path", "general.jsonl")  # batches of 3
    assert "no room for a training row in a batch of 3" in capsys.readouterr().err
    write_text(tmp_path / "empty.jsonl", "")
    facts = train("empty", "--replay-share", "0.5", "--replay-path", str(tmp_path / "empty.jsonl"))
    assert (facts.status, facts.code) == ("impossible", "data.too_few_samples")
    assert "replay" in (facts.message or "")
