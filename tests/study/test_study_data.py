"""What the embedded study promises of its manifests, audio and model; the figures stand in data/README.md."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import soundfile
from small_study import DATA, REPOSITORY

SETS = ("train", "heldout", "domain", "test")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DATA / f"{name}_manifest.jsonl").read_text().splitlines()]


def megabytes(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def test_sizes() -> None:
    assert megabytes(DATA / "model") <= 10
    assert megabytes(DATA / "audio") <= 12
    assert len(rows("train")) == 360
    assert len(rows("heldout")) >= 120
    assert len(rows("domain")) == 200
    assert len(rows("test")) <= 10


def test_thresholds_keep_clearly_different_numbers() -> None:
    durations = [row["duration"] for row in rows("train")]
    kept = [sum(d <= threshold for d in durations) for threshold in (5, 8, 10, 15, 20)]
    assert all(after - before >= 20 for before, after in itertools.pairwise(kept))
    assert kept[1] < 200 < 0.9 * kept[2]
    assert min(durations) < 2.5
    assert max(durations) > 24


def test_speakers() -> None:
    assert len({row["speaker_id"] for row in rows("domain")}) >= 20
    assert len({row["speaker_id"] for row in rows("train")}) >= 20


def test_nothing_of_training_occurs_in_evaluation() -> None:
    sentences = Counter(sentence for name in SETS for row in rows(name) for sentence in split_sentences(row["text"]))
    assert [sentence for sentence, number in sentences.items() if number > 1] == []
    training = {row["speaker_id"] for row in rows("train")}
    assert not training & {row["speaker_id"] for name in SETS[1:] for row in rows(name)}


def split_sentences(text: str) -> list[str]:
    return [part.strip() for part in text.replace("?", ".").split(".") if part.strip()]


@pytest.mark.parametrize("name", SETS)
def test_durations_are_those_of_the_files(name: str) -> None:
    for row in rows(name):
        info = soundfile.info(str(DATA / row["audio"]))
        assert info.samplerate == 16000
        assert abs(info.frames / info.samplerate - row["duration"]) < 0.01, row["id"]


def test_the_recipe_needs_nothing_that_a_run_needs_not() -> None:
    extra = (REPOSITORY / "requirements-study.txt").read_text()
    assert "espeakng-loader==" in extra
    assert "espeakng-loader" not in (REPOSITORY / "requirements.txt").read_text()
