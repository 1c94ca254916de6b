"""The report's command lines: help without heavy imports, errors in one line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lora import layout
from lora.records.base import write_text
from lora.records.sweep import HypothesisResult, HypothesisResults

REPOSITORY = Path(__file__).parents[3]
SCRIPTS = ("render_report", "publish", "print_result", "plot_durations", "plot_retention", "plot_wer", "plot_loss")
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


def test_render_report_writes_the_page_and_its_run_record(folder: Path) -> None:
    flags = ["--results", "results", "--config", "results/config.json", "--report", "results/report/index.html"]
    flags += ["--landing", "results/report/verdict.txt"]
    done = run(str(REPOSITORY / "scripts/render_report.py"), *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "<h1>Diagnosis: ready for the sweep</h1>" in (folder / "results/report/index.html").read_text()
    assert (folder / "results/report/index.html.run.json").is_file()


def test_a_sweep_shows_its_hypotheses_in_the_page_and_in_the_report(folder: Path) -> None:
    decided = HypothesisResult(
        id="H1",
        statement="The saved adapter is the evaluated one.",
        state="refuted",
        summary="3 of 8 texts differ.",
        reason="differs",
        next_step="",
        predicts="",
        evidence=[],
    )
    HypothesisResults(hypotheses=[decided]).write(folder / "results" / layout.HYPOTHESES.path())
    write_text(folder / "results/report/index.html", "the report before the sweep")
    flags = ["--results", "results", "--plan", "docs/experiment_plan.md", "--notes", "notes.md"]
    done = run(str(REPOSITORY / "scripts/publish_sweep.py"), *flags, cwd=folder)
    assert done.returncode == 0, done.stderr
    for document in ("docs/experiment_plan.md", "results/report/index.html"):
        text = (folder / document).read_text(encoding="utf-8").replace("\u00a0", " ")
        assert "refuted" in text
        assert "3 of 8 texts differ." in text
    assert (folder / "results/commands.sh").is_file()
