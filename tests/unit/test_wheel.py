"""A wheel built from the project works outside the checkout: every subcommand, the workflow, the schemas, the pages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from small_study import REPOSITORY, Study, make_study

# The folders of the workflow, which an installation has in the same layout as the checkout.
WORKFLOW = ("rules", "scripts", "envs", "profiles", "report")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contents of the wheel in a folder of their own, as an installation would place them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "Snakefile"):
        shutil.copy(REPOSITORY / name, source)
    for name in ("src", *WORKFLOW):
        shutil.copytree(REPOSITORY / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    # In this environment instead of one of its own, since tests have no network.
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    shutil.rmtree(source)
    return folder / "site-packages"


def run(installed: Path, folder: Path, *arguments: str) -> str:
    environment = dict(os.environ, PYTHONPATH=str(installed))
    done = subprocess.run([sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def diagnose(installed: Path, folder: Path, *arguments: str) -> str:
    return run(installed, folder, "-m", "lora.runners.diagnose", *arguments)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("Snakefile", *WORKFLOW)
        for path in [folder / name, *(folder / name).rglob("*")]
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_workflow_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    tool = Path(diagnose(installed, tmp_path, "--tool-folder").strip())
    assert tool == installed / "lora/tool"
    assert contents(tool) == contents(REPOSITORY)


def test_jobs_of_an_installed_workflow_import_the_installed_package(installed: Path, tmp_path: Path) -> None:
    study: Study = make_study(tmp_path / "a study")
    diagnose(installed, tmp_path, "run", "-d", str(study.folder), "--cores", "1", "--", "--until", "record_config")
    command = json.loads((study.results / "config.json.run.json").read_text())["command"]
    assert str(installed / "lora/tool/scripts/record_config.py") in command
    recorded = json.loads((study.results / "config.json").read_text())
    assert recorded["candidates"]["lora"]["train"]["max_steps"] == 4


def test_quick_mode_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "ref.trn").write_text("one two (a)\nthree four (b)\n")
    (tmp_path / "base.trn").write_text("one too (a)\nthree for (b)\n")
    (tmp_path / "tuned.trn").write_text("one two (a)\nthree four (b)\n")
    files = ["--manifest", "ref.trn", "--baseline", "base.trn", "--tuned", "tuned.trn", "--output-dir", "out"]
    printed = diagnose(installed, tmp_path, "quick", *files)
    assert "evaluation" in printed.splitlines()[0]
    (outcome,) = json.loads((tmp_path / "out/verdict.json").read_text())["runs"]
    assert (outcome["baseline_wer"], outcome["tuned_wer"]) == (0.5, 0.0)


def test_the_schemas_are_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "from importlib.resources import files; import lora; print(lora.__file__); "
    code += "print(*sorted(p.name for p in files('lora').joinpath('schemas').iterdir()))"
    where, names = run(installed, tmp_path, "-c", code).splitlines()
    assert Path(where).is_relative_to(installed)
    assert names.split() == ["config.schema.yaml", "verdict.schema.json"]


def test_the_listening_page_is_in_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "from lora.report.listen.page.render import write_page; from pathlib import Path; write_page(Path('.'), 'm')"
    run(installed, tmp_path, "-c", code)
    assert {path.name for path in tmp_path.iterdir()} == {"index.html", "style.css", "page.js"}
