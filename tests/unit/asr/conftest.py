"""Tiny random models and noise instead of speech: enough to test the code without the embedded study."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: tests share few cores

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import soundfile
from tiny_models import RATE, Train, make_moonshine, make_whisper, noise

from lora.records.training import TrainFacts
from lora.runners.experiment import main


@pytest.fixture(scope="session")
def moonshine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_moonshine(tmp_path_factory.mktemp("models") / "moonshine")


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("models") / "whisper")


@pytest.fixture
def make_manifest(tmp_path: Path) -> Callable[..., Path]:
    """Write a manifest of noise files with these durations in seconds; equal names give equal audio."""

    def make(name: str, seconds: Sequence[float], first_seed: int = 0) -> Path:
        folder = tmp_path / "audio files"
        folder.mkdir(exist_ok=True)
        lines = []
        for number, length in enumerate(seconds):
            audio = folder / f"{first_seed + number}-{length}.wav"
            soundfile.write(audio, noise(first_seed + number, length), RATE)
            row = {
                "id": f"{name}-{number}",
                "audio": f"audio files/{audio.name}",
                "text": f"Some words {number}.",
                "duration": length,
            }
            lines.append(json.dumps(row))
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(lines) + "\n")
        return path

    return make


@pytest.fixture
def train(
    make_manifest: Callable[..., Path], moonshine_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Train:
    """Run `experiment train`; the name determines output and work folders. The model path is relative."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model folder").symlink_to(moonshine_folder)
    rows = make_manifest("training", [0.5 + 0.2 * number for number in range(9)])
    validation = make_manifest("validation", [0.6, 0.8, 1.3], first_seed=50)

    def run(name: str, *more: str, model: Path | None = None, dataset: Path = rows, work: str = "") -> TrainFacts:
        output = tmp_path / "adapters" / name
        arguments = [
            "train", "--run", name, "--model-id", str(model or "model folder"), "--dataset-path", str(dataset),
            "--validation-path", str(validation), "--max-steps", "5", "--learning-rate", "1e-2", "--seed", "3",
            "--rank", "2", "--alpha", "4", "--dropout", "0.1", "--batch-size", "3", "--warmup-steps", "1",
            "--eval-steps", "2", "--device", "cpu", "--cpu-threads", "1", "--output-dir", str(output),
            "--work-dir", str(tmp_path / "work" / (work or name)), *more,
        ]  # fmt: skip
        assert main(arguments) == 0
        return TrainFacts.read(output / "train.json")

    return run
