"""`--use-conda` offline: environments with what envs/ lists, and nothing else, run the workflow."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conda_packages import PYPI_NAMES, SITE_PACKAGES, make_channel
from packaging.requirements import Requirement
from small_study import REPOSITORY, Study, make_study

STAND_IN = Path(__file__).with_name("conda_stand_in.py")
# The environment's python: records that it ran, and is the interpreter of the tests without its site-packages.
PYTHON = f"""#!/bin/sh
echo "$CONDA_PREFIX" >> "$USED"
export PYTHONPATH="$PYTHONPATH:$CONDA_PREFIX/{SITE_PACKAGES}"
exec "{sys.executable}" -S "$@"
"""


@pytest.fixture(scope="module")
def conda(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment variables with `conda` on PATH, and a channel with every package of envs/."""
    folder = tmp_path_factory.mktemp("conda")
    listed = [
        Requirement(entry).name
        for path in (REPOSITORY / "envs").glob("*.yaml")
        for dependency in yaml.safe_load(path.read_text())["dependencies"]
        for entry in (dependency["pip"] if isinstance(dependency, dict) else [dependency])
    ]
    names = {PYPI_NAMES.get(name, name) for name in listed} - {"python", "pip"}
    make_channel(folder / "channel", names, PYTHON)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "conda").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    (programs / "conda").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "STAND_IN_CHANNEL": str(folder / "channel"),
        "STAND_IN_BASE": str(folder / "base"),
    }


def run(study: Study, conda: dict[str, str], *arguments: str) -> set[Path]:
    """Run with `--use-conda`; the environments whose python was used."""
    used = study.folder / "used"
    done = subprocess.run(
        study.command("--use-conda", *arguments),
        cwd=study.folder,
        env={**conda, "USED": str(used)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return {Path(prefix) for prefix in used.read_text().splitlines()}


def test_one_rule_runs_in_each_environment(conda: dict[str, str], tmp_path: Path) -> None:
    study: Study = make_study(tmp_path / "study", {"roles": {"general": [], "domain": ["test"]}})
    study.configure({"manifests": {"heldout": None, "domain": None}})
    environments = run(study, conda, "results/transcripts/base/test.jsonl")
    assert (study.results / "transcripts/base/test.jsonl").exists()
    assert len(environments) == 2
    installed = [{p.name.split("-")[0] for p in (e / "conda-meta").glob("*.json")} for e in environments]
    assert sum("pytorch" in names for names in installed) == 1


@pytest.mark.slow
def test_a_whole_study_gives_the_same_bytes(conda: dict[str, str], computed: Study, tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    run(study, conda, "report", "publish")
    expected = computed.digests()  # which has no listening page
    assert {name: digest for name, digest in study.digests().items() if name in expected} == expected


@pytest.mark.slow
def test_turning_it_on_costs_no_model_work(conda: dict[str, str], study: Study) -> None:
    before, digests = study.records(), study.digests()
    run(study, conda)
    assert study.records()["results/labels.json.run.json"] != before["results/labels.json.run.json"]  # the job ran
    assert study.work_since(before).none
    assert study.digests() == digests


def test_containerize_writes_a_dockerfile_with_both_environments(conda: dict[str, str], tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    command = [part for part in study.command("--containerize") if part not in ("--cores", "2")]
    done = subprocess.run(command, cwd=study.folder, env=conda, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    instructions = re.findall(r"^([A-Z]+) (.*)$", done.stdout, re.MULTILINE)
    assert [name for name, _ in instructions] == ["FROM", "LABEL", "LABEL", *["RUN", "COPY"] * 2, "RUN"]
    copied = {Path(value.rsplit(maxsplit=1)[0]).name for name, value in instructions if name == "COPY"}
    assert copied == {"asr.yaml", "data.yaml"}
    assert done.stdout.count("conda env create") == 2


def test_without_conda_nothing_is_computed(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    done = study.snakemake("--use-conda")
    assert done.returncode != 0
    (message,) = [line for line in done.stderr.splitlines() if line.startswith("--use-conda: ")]
    assert "install Miniforge" in message
    assert not (study.folder / "work").exists()
