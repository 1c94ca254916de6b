"""A wheel built from the project works outside the checkout: quick mode, the schemas, and the listening page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The contents of the wheel in a folder of their own, as an installation would place them."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    shutil.copytree(REPOSITORY / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    # setuptools builds in this process's environment, since tests have no network.
    build = [sys.executable, "-c", "import setuptools.build_meta as b, sys; print(b.build_wheel(sys.argv[1]))"]
    subprocess.run([*build, str(folder)], cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


def run(installed: Path, folder: Path, *arguments: str) -> str:
    environment = dict(os.environ, PYTHONPATH=str(installed))
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_quick_mode_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "ref.trn").write_text("one two (a)\nthree four (b)\n")
    (tmp_path / "base.trn").write_text("one too (a)\nthree for (b)\n")
    (tmp_path / "tuned.trn").write_text("one two (a)\nthree four (b)\n")
    files = ["--manifest", "ref.trn", "--baseline", "base.trn", "--tuned", "tuned.trn", "--output-dir", "out"]
    printed = run(installed, tmp_path, "-m", "lora.runners.quick", *files)
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
