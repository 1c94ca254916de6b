"""Audio that vanishes after validation stops a model command: its result covers every usable row or does not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.data.source import Source
from lora.records.base import read_lines
from lora.records.transcripts import Transcript
from lora.runners.experiment import main
from lora.stages.manifests import validate_manifest

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Two validated rows, of which the second one's audio is b.wav."""
    noise = np.random.default_rng(0)
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * noise.standard_normal(8000), 16000)
    lines = [f'{{"audio": "{name}.wav", "text": "one", "duration": 0.5}}\n' for name in "ab"]
    (tmp_path / "m.jsonl").write_text("".join(lines))
    validate_manifest(Source(tmp_path / "m.jsonl"), tmp_path / "rows.jsonl", tmp_path / "rejected.tsv")
    return tmp_path / "rows.jsonl"


def model(folder: Path) -> list[str]:
    return ["--model-id", str(REPOSITORY / "data" / "model"), "--device", "cpu", "--work-dir", str(folder / "work")]


def test_vanished_audio_leaves_no_transcripts_and_the_next_run_has_all(
    tmp_path: Path, rows: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["transcribe", "--run", "base", "--manifest", f"dev={rows}", *model(tmp_path)]
    command += ["--output-dir", str(tmp_path / "out")]
    (tmp_path / "b.wav").rename(tmp_path / "gone.wav")
    assert main(command) == 2
    assert "b.wav" in capsys.readouterr().err
    assert not (tmp_path / "out" / "dev.jsonl").exists()
    (tmp_path / "gone.wav").rename(tmp_path / "b.wav")
    assert main(command) == 0
    assert [row.id for row in read_lines(tmp_path / "out" / "dev.jsonl", Transcript)] == ["a.wav", "b.wav"]


@pytest.mark.parametrize(
    "command",
    [
        ["train", "--run", "short", "--validation-path", "rows.jsonl", "--output-dir", "out"],
        ["audit", "--output", "out/labels.json"],
        ["effect", "--run", "short", "--adapter", "adapter", "--output", "out/effect.json"],
    ],
    ids=lambda command: command[0],
)
def test_vanished_audio_of_a_labelled_row_leaves_no_result(
    tmp_path: Path, rows: Path, command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "adapter").mkdir()
    (tmp_path / "b.wav").unlink()
    assert main([*command, "--dataset-path", str(rows), *model(tmp_path)]) == 2
    assert "b.wav" in capsys.readouterr().err
    assert not [path for path in (tmp_path / "out").rglob("*") if path.suffix == ".json"]
