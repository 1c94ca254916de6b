"""Small audio files and manifests that tests write themselves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile


@pytest.fixture
def wav(tmp_path: Path) -> Callable[..., Path]:
    """Write a tone of so many seconds into the test's folder."""

    def write(name: str, seconds: float = 1.0, rate: int = 16000, channels: int = 1) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
        soundfile.write(path, np.repeat(tone[:, None], channels, axis=1), rate)
        return path

    return write


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    """Write objects (and strings, as they are) as the lines of a manifest."""

    def write(*lines: dict[str, Any] | str, name: str = "m.jsonl") -> Path:
        path = tmp_path / name
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write
