"""Random tiny models and noise that stands for speech: enough to test plumbing without the embedded study."""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: tests share few cores

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import soundfile
from tiny_models import RATE, make_moonshine, make_whisper, noise


@pytest.fixture(scope="session")
def moonshine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_moonshine(tmp_path_factory.mktemp("models") / "moonshine")


@pytest.fixture(scope="session")
def whisper_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_whisper(tmp_path_factory.mktemp("models") / "whisper")


@pytest.fixture
def make_manifest(tmp_path: Path) -> Callable[..., Path]:
    """Writes a manifest of noise files of the given lengths in seconds; a name gives the same audio each time."""

    def make(name: str, seconds: Sequence[float], first_seed: int = 0) -> Path:
        folder = tmp_path / "audio files"
        folder.mkdir(exist_ok=True)
        lines = []
        for number, length in enumerate(seconds):
            audio = folder / f"{first_seed + number}-{length}.wav"
            soundfile.write(audio, noise(first_seed + number, length), RATE)
            row = {"id": f"{name}-{number}", "audio": f"audio files/{audio.name}", "text": f"Some words {number}.",
                   "duration": length}  # fmt: skip
            lines.append(json.dumps(row))
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(lines) + "\n")
        return path

    return make
