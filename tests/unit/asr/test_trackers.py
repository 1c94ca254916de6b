"""Trackers: nothing is sent unless asked, and nothing about a training depends on them."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_train import contents, steps_taken
from tiny_models import Train

WRITER = """
import json, pathlib


class SummaryWriter:
    def __init__(self, log_dir):
        self.path = pathlib.Path(log_dir) / "scalars.jsonl"
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def add_scalar(self, *values):
        with self.path.open("a") as file:
            file.write(json.dumps(values) + "\\n")

    def add_text(self, *_): pass
    def add_hparams(self, *_, **__): pass
    def flush(self): pass
    def close(self):
        self.path.with_name("closed").touch()
"""


def test_a_missing_package_is_one_error_before_training(
    train: Train, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(AssertionError):
        train("tracked", "--report-to", "mlflow")
    assert "report_to names mlflow, and its package is not installed" in capsys.readouterr().err
    assert not list((tmp_path / "work/tracked").rglob("checkpoint-*"))


def test_losses_are_sent_where_asked_and_change_nothing(
    train: Train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", "")  # restored after the test
    monkeypatch.delenv("TENSORBOARD_LOGGING_DIR")
    (tmp_path / "stand-ins").mkdir()
    (tmp_path / "stand-ins/tensorboardX.py").write_text(WRITER)
    monkeypatch.syspath_prepend(str(tmp_path / "stand-ins"))
    ends_early = ("--wer-stop-threshold", "1", "--eval-decode", '{"max_new_tokens": 8}')
    train("plain", *ends_early)
    assert not list(tmp_path.rglob("scalars.jsonl"))
    train("tracked", *ends_early, "--report-to", "tensorboard")
    (scalars,) = tmp_path.rglob("scalars.jsonl")
    assert scalars.parent == tmp_path / "work/tracked/tensorboard/tracked"
    assert sum('"train/loss"' in line for line in scalars.read_text().splitlines()) == 2
    assert scalars.with_name("closed").exists()
    assert contents(tmp_path / "adapters/plain") == contents(tmp_path / "adapters/tracked")
    train("copied", *ends_early, "--report-to", "tensorboard", work="plain")
    assert steps_taken(tmp_path, "copied") == 0
    assert len(list(tmp_path.rglob("scalars.jsonl"))) == 1
