"""A manifest whose audio was missing when it was read is inspected again once the audio is there."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lora.configuration.schema import complete
from lora.configuration.study import StudyConfig
from lora.data.source import Source
from lora.stages.manifests import inspect_audio, validate_manifest
from lora.workflow.restored_audio import inspect_restored
from lora.workflow.study import open_study


@pytest.mark.parametrize("written", ["off (1).wav", ".\\off (1).wav"])
def test_missing_audio_is_looked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    rows = [json.dumps({"audio": name, "text": "one"}) + "\n" for name in ("there.wav", written)]
    Path("data/m.jsonl").write_text("".join(rows))
    config = {"model": None, "manifests": {"domain": "data/m.jsonl"}, "candidates": {}}
    study = open_study(StudyConfig.from_json(complete(config)))
    soundfile.write("data/there.wav", 0.1 * np.ones(8000), 16000)
    measures, folder = Path("results/integrity/domain.tsv"), Path("results/manifests")

    def read() -> None:
        inspect_audio(Source(Path("data/m.jsonl")), measures)
        validate_manifest(
            Source(Path("data/m.jsonl")), folder / "domain.jsonl", folder / "domain.rejected.tsv", measures=measures
        )

    assert inspect_restored(study) == []
    read()
    assert inspect_restored(study) == []
    assert measures.is_file()
    soundfile.write("data/off (1).wav", 0.1 * np.ones(8000), 16000)
    Path("data/off (1).wav").chmod(0o600)
    with monkeypatch.context() as another_user:
        another_user.setattr(os, "access", lambda path, mode: not str(path).endswith("off (1).wav"))
        assert inspect_restored(study) == []
        read()
        assert "unreadable audio: no permission to read " in (folder / "domain.rejected.tsv").read_text()
        assert inspect_restored(study) == []
    assert inspect_restored(study) == ["domain"]
    assert not measures.exists()
    read()
    assert inspect_restored(study) == []
