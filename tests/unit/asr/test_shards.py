"""Shards are equal parts of a manifest's audio, and merged without a model, also where their device is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import Train

from lora.asr import model_loading
from lora.asr.adapter.problem import AdapterProblem
from lora.asr.decoding.audio_store import Rows
from lora.asr.decoding.shards import Shard, device_of_shards
from lora.asr.model_json import UnusableModel
from lora.records.base import UserError
from lora.records.manifests import Utterance
from lora.records.shards import ShardFacts
from lora.runners import options
from lora.runners.experiment import main


@pytest.mark.parametrize("count", [1, 2, 3, 8, 40])
def test_every_row_is_in_one_shard_and_shards_have_as_much_audio(count: int) -> None:
    rows = [Utterance(id=f"u{n}", audio=f"{n}.wav", text="a", duration=1.0 + n % 7 * 4) for n in range(35)]
    shards = [Shard(number, count).of(Rows(rows, Path())).rows for number in range(1, count + 1)]
    assert sorted(row.id for shard in shards for row in shard) == sorted(row.id for row in rows)
    seconds = [sum(row.duration for row in shard) for shard in shards]
    assert max(seconds) - min(seconds) <= max(row.duration for row in rows)


def test_the_device_of_shards_is_that_of_all() -> None:
    gpu = ShardFacts(device="cuda", dtype="bfloat16", fallbacks=["a sentence"])
    device = device_of_shards([gpu, gpu], threads=2)
    assert (device.type, device.dtype, device.threads, device.fallbacks) == ("cuda", "bfloat16", 2, ["a sentence"])
    with pytest.raises(UserError, match=r"cpu in float32, cuda in bfloat16\. Set model\.device"):
        device_of_shards([gpu, ShardFacts(device="cpu", dtype="float32")], threads=2)


def test_problems_of_shards_are_those_of_the_run() -> None:
    broken = ShardFacts(status="impossible", code="adapter.not_finite", message="NaN")
    with pytest.raises(AdapterProblem, match="NaN") as found:
        device_of_shards([ShardFacts(device="cpu", dtype="float32"), broken], threads=1)
    assert found.value.code == "adapter.not_finite"
    with pytest.raises(UnusableModel, match="no weights"):
        device_of_shards([ShardFacts(status="impossible", message="no weights", unusable_model=True)], threads=1)


class Sharded:
    """A run on two rows that is transcribed in two shards, or in one piece."""

    def __init__(self, folder: Path, arguments: list[str]) -> None:
        self.folder = folder
        self.arguments = arguments
        self.facts = [folder / "shards" / f"{number}.json" for number in (1, 2)]

    def transcribe(self) -> dict[str, bytes]:
        assert main(["transcribe", *self.arguments, "--output-dir", str(self.folder / "whole")]) == 0
        return self.contents("whole")

    def transcribe_shards(self) -> list[ShardFacts]:
        for number, path in enumerate(self.facts, start=1):
            shard = ["--shard", str(number), "--shards", "2", "--output", str(path)]
            assert main(["transcribe-shard", *self.arguments, *shard]) == 0
        return [ShardFacts.read(path) for path in self.facts]

    def merge(self) -> int:
        """Exit code; nothing can load a model meanwhile."""

        def refuse(*_: Any) -> None:
            raise AssertionError("a model was loaded")

        output = ["--output-dir", str(self.folder / "merged"), "--shards", *map(str, self.facts)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(model_loading, "load_model", refuse)
            return main(["merge-shards", *self.arguments, *output])

    def contents(self, name: str) -> dict[str, bytes]:
        files = (self.folder / name / f"dev.{end}" for end in ("jsonl", "settings.json"))
        return {path.name: path.read_bytes() for path in files}


@pytest.fixture
def sharded(train: Train, make_manifest: Callable[..., Path], tmp_path: Path) -> Sharded:
    train("tuned", "--max-steps", "1")
    rows = make_manifest("rows", [0.5, 0.8])
    arguments = [
        "--run", "tuned", "--model-id", "model folder", "--adapter", "adapters/tuned/best", "--manifest", f"dev={rows}",
        "--decode", '{"max_new_tokens": 4}', "--device", "cpu", "--cpu-threads", "1", "--work-dir", "work",
    ]  # fmt: skip
    return Sharded(tmp_path, arguments)


def test_merging_needs_neither_the_model_nor_its_device(sharded: Sharded, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [facts.device for facts in sharded.transcribe_shards()] == ["cpu", "cpu"]
    guess = options.guess_device
    with monkeypatch.context() as patch:  # on another kind of machine than the shards
        patch.setattr(options, "guess_device", lambda *_: guess("cpu", "bfloat16", 1))
        assert sharded.merge() == 0
    assert sharded.contents("merged") == sharded.transcribe()


def test_an_adapter_that_cannot_be_loaded_is_explained_by_the_shards(sharded: Sharded) -> None:
    (sharded.folder / "adapters/tuned/best/adapter_model.safetensors").write_bytes(b"damaged")
    assert [facts.code for facts in sharded.transcribe_shards()] == ["adapter.not_loaded"] * 2
    assert sharded.merge() == 0
    assert sharded.contents("merged") == sharded.transcribe()


def test_what_the_shards_have_not_transcribed_is_an_error(
    sharded: Sharded, make_manifest: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    sharded.transcribe_shards()
    make_manifest("rows", [0.5, 0.8, 1.1])
    assert sharded.merge() == 2
    assert "1 of 3 recordings have no hypothesis" in capsys.readouterr().err
