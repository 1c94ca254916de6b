"""From a few paths to a plan: a study that `init` wrote is one that the workflow can run."""

from __future__ import annotations

import subprocess
from pathlib import Path

from preloaded_python import preloaded_python
from small_study import make_study


def diagnose(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [preloaded_python(), "-m", "lora.runners.diagnose", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_new_study_has_a_plan(tmp_path: Path) -> None:
    data = make_study(tmp_path / "my data").folder / "data"
    written = diagnose(
        tmp_path,
        *("init", "a study", "--model", str(data / "model"), "--train", str(data / "train_manifest.jsonl")),
        *("--domain", f"dev={data / 'domain_manifest.jsonl'}", "--general", str(data / "heldout_manifest.jsonl")),
    )
    assert written.returncode == 0, written.stderr
    for folder, where in ((tmp_path, ["-d", "a study"]), (tmp_path / "a study", [])):
        planned = diagnose(folder, "run", *where, "--cores", "2", "--", "-n")
        assert planned.returncode == 0, planned.stderr
        assert "rule train_adapter:" in planned.stdout + planned.stderr
