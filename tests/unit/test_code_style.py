"""The code is formatted, linted and typed as `make lint` says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "tool", [["ruff", "format", "--check", "."], ["ruff", "check", "."], ["mypy"]], ids=["format", "lint", "types"]
)
def test_clean(tool: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *tool], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
