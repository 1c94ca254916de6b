"""The report's command lines: help without heavy imports, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
SCRIPTS = ("render_summary", "publish", "print_verdict", "plot_durations", "plot_retention", "plot_wer", "plot_loss")
SCRIPTS += ("plot_weights",)
SPY = (
    "import sys, runpy; sys.argv = sys.argv[1:]\n"
    "try: runpy.run_path(sys.argv[0], run_name='__main__')\n"
    "except SystemExit as end: code = end.code\n"
    "heavy = {'torch', 'pandas', 'matplotlib', 'numpy'} & set(sys.modules)\n"
    "sys.exit(f'imported {heavy}' if heavy else code)"
)


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src")}
    return subprocess.run(
        [sys.executable, *command], env=environment, cwd=cwd, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_shows_an_example_and_imports_nothing_heavy(script: str, tmp_path: Path) -> None:
    done = run("-c", SPY, str(REPOSITORY / f"scripts/{script}.py"), "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"python scripts/{script}.py" in done.stdout
    assert "Writes" in done.stdout


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    flags = ["--effect", "no.json", "--png", "a.png", "--svg", "a.svg"]
    done = run(str(REPOSITORY / "scripts/plot_weights.py"), *flags, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: no.json: no such file"
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "a.png").exists()


def test_render_summary_writes_summary_and_run_record(folder: Path) -> None:
    flags = ["--results", "results", "--config", "results/config.json", "--summary", "results/summary.md"]
    done = run(str(REPOSITORY / "scripts/render_summary.py"), *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "results/summary.md").read_text().startswith("# Diagnosis: ready for the sweep")
    assert (folder / "results/summary.md.run.json").is_file()
