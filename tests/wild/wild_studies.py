"""Studies of a real Whisper on real recordings: accented English, and digit strings.

The folder of models and recordings (`WILD`, by default `shared/wild` next to the checkout) contains `whisper-tiny.en`
as a transformers folder, and manifests with their audio: `accented/{train,test}.jsonl` (read English of Mandarin
speakers), `librispeech/manifest.jsonl` (test-other), `digits/recordings.jsonl` (single spoken digits, as pieces of one
file per speaker and digit) and `prompts/manifest.jsonl` (telephone prompts).
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import yaml
from small_study import REPOSITORY, Study

WILD = Path(os.environ.get("WILD", REPOSITORY.parent / "shared/wild")).absolute()
MODEL = WILD / "whisper-tiny.en"
SEED = 1
DIGIT_RATE = 8000  # Hz
PAUSES = (0.05, 0.35)  # s between two digits
EVALUATED_SPEAKERS = 2
Row = dict[str, Any]


def accented_study(folder: Path, rows: tuple[int, int, int] = (335, 183, 50), **train: Any) -> Study:
    """Accented English as training and domain set, LibriSpeech as general set; numbers of rows of the three."""
    settings = {"max_steps": 50, "batch_size": 8, "learning_rate": 5e-4, "eval_steps": 25, **train}
    manifests = {
        "train": wild_rows("accented/train.jsonl", rows[0]),
        "accented": wild_rows("accented/test.jsonl", rows[1]),
        "librispeech": wild_rows("librispeech/manifest.jsonl", rows[2]),
    }
    return _write_study(folder, manifests, general="librispeech", domain="accented", train=settings)


def digits_study(folder: Path, rows: tuple[int, int, int] = (260, 100, 98), **train: Any) -> Study:
    """Digit strings of four speakers as training set, of the other two as domain set, prompts as general set."""
    settings = {"max_steps": 50, "batch_size": 8, "learning_rate": 1e-3, "eval_steps": 25, **train}
    by_speaker: dict[str, list[Row]] = {}
    for row in wild_rows("digits/recordings.jsonl"):
        by_speaker.setdefault(row["speaker_id"], []).append(row)
    speakers = sorted(by_speaker)
    generator = random.Random(SEED)
    audio = folder / "data/audio"
    audio.mkdir(parents=True)

    def strings(names: list[str], count: int) -> list[Row]:
        return [_digit_string(by_speaker[names[n % len(names)]], n, audio, generator) for n in range(count)]

    prompts = [row for row in wild_rows("prompts/manifest.jsonl") if row["duration"] >= 2]
    manifests = {
        "train": strings(speakers[:-EVALUATED_SPEAKERS], rows[0]),
        "digits": strings(speakers[-EVALUATED_SPEAKERS:], rows[1]),
        "prompts": prompts[: rows[2]],
    }
    return _write_study(folder, manifests, general="prompts", domain="digits", train=settings)


def small_accented_study(folder: Path) -> Study:
    """The accented study with fewer rows and steps, in which faults are planted; manifests train, domain, heldout."""
    manifests = {
        "train": wild_rows("accented/train.jsonl", 120),
        "domain": wild_rows("accented/test.jsonl", 48),
        "heldout": wild_rows("librispeech/manifest.jsonl", 16),
    }
    train = {"max_steps": 24, "batch_size": 8, "learning_rate": 1e-3, "eval_steps": 12, "warmup_steps": 2}
    changes = {
        "durations": {"min_train_samples": 80},
        "labels": {"sample": 16},
        "adapter": {"sample": 8},
        "statistics": {"target_gain": 0.12},
    }
    study = _write_study(folder, manifests, general="heldout", domain="domain", train=train, changes=changes)
    study.configure({"model": {"cpu_threads": 1}})
    return study


def small_sweep_study(folder: Path) -> Study:
    """The small study with a sweep of two learning rates and two seeds."""
    study = small_accented_study(folder)
    grid = {"learning_rate": [3e-4, 1e-3], "seed": [1, 2]}
    settings = {**study.config()["candidates"]["lora"]["train"], "eval_rows": 4, "grid": grid}
    study.configure({"sweep": {"rate": {k: v for k, v in settings.items() if k != "learning_rate"}}})
    return study


def wild_rows(name: str, count: int | None = None) -> list[Row]:
    """Rows of a manifest with absolute paths; `count` of them, evenly over the file, so that all speakers are there."""
    path = WILD / name
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    if count is not None and count < len(rows):
        rows = [rows[n * len(rows) // count] for n in range(count)]
    return [{**row, "audio": str(path.parent / row["audio"])} for row in rows]


def _digit_string(recordings: list[Row], number: int, folder: Path, generator: random.Random) -> Row:
    """Three to nine digits of one speaker, joined with pauses, as a file of its own."""
    chosen = [generator.choice(recordings) for _ in range(generator.randint(3, 9))]
    parts: list[npt.NDArray[np.float32]] = []
    for row in chosen:
        start = round(row["offset"] * DIGIT_RATE)
        frames = round(row["duration"] * DIGIT_RATE)
        parts.append(soundfile.read(row["audio"], start=start, frames=frames, dtype="float32")[0])
        parts.append(np.zeros(round(generator.uniform(*PAUSES) * DIGIT_RATE), np.float32))
    samples = np.concatenate(parts)
    speaker = chosen[0]["speaker_id"]
    path = folder / f"{speaker}-{number:03}.wav"
    soundfile.write(path, samples, DIGIT_RATE)
    return {
        "id": path.stem,
        "audio": f"audio/{path.name}",
        "text": " ".join(row["text"] for row in chosen),
        "duration": len(samples) / DIGIT_RATE,
        "speaker_id": speaker,
    }


def _write_study(
    folder: Path,
    manifests: dict[str, list[Row]],
    general: str,
    domain: str,
    train: dict[str, Any],
    changes: dict[str, Any] | None = None,
) -> Study:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (data / "model").symlink_to(MODEL)
    study = Study(folder)
    for name, rows in manifests.items():
        study.write_rows(name, rows)
    config = {
        "model": {"id": "data/model"},
        "manifests": {name: f"data/{name}_manifest.jsonl" for name in manifests},
        "roles": {"general": [general], "domain": [domain]},
        "normalizer": "english",
        "candidates": {"lora": {"train": train}},
        **(changes or {}),
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return study
