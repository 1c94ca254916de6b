"""A whole study in an environment whose transformers shifts Moonshine's loss twice, beside the one that is installed.

The second environment is a virtual environment of its own whose site-packages hold the older library, and after it, by
a `.pth` file, everything that this one holds: torch is not installed again. Needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest
from small_study import Study, make_study

SHIFTED_TWICE = ["transformers==5.12.0", "huggingface_hub==1.5.0", "tokenizers==0.22.2", "httpx"]


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with transformers 5.12.0."""
    folder = tmp_path_factory.mktemp("environments") / "older"
    venv.create(folder, symlinks=True)
    packages = next((folder / "lib").glob("python*")) / "site-packages"
    # The library's own requirements, but for those it shares with this environment.
    for arguments in (["--no-deps", *SHIFTED_TWICE[:3]], SHIFTED_TWICE[3:]):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(packages), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no package index: {done.stderr.strip()[-200:]}")
    (packages / "outer.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "bin" / "python"


@pytest.mark.slow
def test_a_loss_that_the_library_shifts_twice_blocks_the_study(older: Path, tmp_path: Path) -> None:
    study: Study = make_study(tmp_path / "study")
    path = f"{older.parent}{os.pathsep}{os.environ['PATH']}"  # rules call `python`
    command = [str(older), *study.command()[1:]]
    done = subprocess.run(command, cwd=study.folder, capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    first = study.verdict()["causes"][0]
    assert first["code"] == "labels.loss_misaligned"
    assert "it matches labels shifted by one token" in first["because"]
    assert "transformers 5.12.0" in first["because"]
    assert study.verdict()["ready_for_sweep"] is False
