"""Audio that vanishes after validation stops a transcription: transcripts cover every usable row or do not exist."""

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


def test_vanished_audio_leaves_no_transcripts_and_the_next_run_has_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    noise = np.random.default_rng(0)
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", 0.1 * noise.standard_normal(8000), 16000)
    lines = [f'{{"audio": "{name}.wav", "text": "one", "duration": 0.5}}\n' for name in "ab"]
    (tmp_path / "m.jsonl").write_text("".join(lines))
    validate_manifest(Source(tmp_path / "m.jsonl"), tmp_path / "rows.jsonl", tmp_path / "rejected.tsv")
    command = ["transcribe", "--run", "base", "--model-id", str(REPOSITORY / "data" / "model")]
    command += ["--manifest", f"dev={tmp_path / 'rows.jsonl'}", "--device", "cpu"]
    command += ["--work-dir", str(tmp_path / "work"), "--output-dir", str(tmp_path / "out")]
    (tmp_path / "b.wav").rename(tmp_path / "gone.wav")
    assert main(command) == 2
    assert "b.wav" in capsys.readouterr().err
    assert not (tmp_path / "out" / "dev.jsonl").exists()
    (tmp_path / "gone.wav").rename(tmp_path / "b.wav")
    assert main(command) == 0
    assert [row.id for row in read_lines(tmp_path / "out" / "dev.jsonl", Transcript)] == ["a.wav", "b.wav"]
