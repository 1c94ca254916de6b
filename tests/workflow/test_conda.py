"""`--use-conda` offline: both environment files are solved and installed, and a rule runs in each."""

from __future__ import annotations

import asyncio
import io
import json
import os
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from rattler.index import index_fs
from small_study import REPOSITORY, Study, make_study

STAND_IN = Path(__file__).with_name("conda_stand_in.py")


def write_package(channel: Path, name: str, version: str, files: dict[str, str]) -> None:
    """Write a minimal conda package: its index, the list of its files, and the files."""
    index = {"name": name, "version": version, "build": "0", "build_number": 0, "subdir": "noarch", "noarch": "generic"}
    paths = {"paths_version": 1, "paths": [{"_path": p, "path_type": "hardlink"} for p in files]}
    contents = {"info/index.json": json.dumps({**index, "depends": []}), "info/paths.json": json.dumps(paths), **files}
    with tarfile.open(channel / "noarch" / f"{name}-{version}-0.tar.bz2", "w:bz2") as package:
        for path, text in contents.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(text.encode()), 0o755
            package.addfile(member, io.BytesIO(text.encode()))


@pytest.fixture
def conda(tmp_path: Path) -> dict[str, str]:
    """Environment variables with `conda` on PATH, and a channel with every pinned package."""
    channel, programs = tmp_path / "channel", tmp_path / "programs"
    (channel / "noarch").mkdir(parents=True)
    programs.mkdir()
    pins = {
        entry
        for path in (REPOSITORY / "envs").glob("*.yaml")
        for entry in yaml.safe_load(path.read_text())["dependencies"]
        if isinstance(entry, str)
    }
    for entry in sorted(pins):
        name, _, version = entry.partition(" =")
        # The environment's python records that it ran, and starts the interpreter of the tests.
        wrapper = f'#!/bin/sh\necho "$CONDA_PREFIX" >> "{tmp_path}/used"\nexec "{sys.executable}" "$@"\n'
        write_package(channel, name, version or "1.0", {"bin/python": wrapper} if name == "python" else {})
    # In a thread of its own: the browser of other tests keeps an event loop running in this one.
    with ThreadPoolExecutor() as threads:
        threads.submit(asyncio.run, index_fs(channel)).result()
    (programs / "conda").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" "$@"\n')
    (programs / "conda").chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "STAND_IN_CHANNEL": str(channel),
        "STAND_IN_BASE": str(tmp_path / "base"),
    }


def test_one_rule_runs_in_each_environment(conda: dict[str, str], tmp_path: Path) -> None:
    study: Study = make_study(tmp_path / "study", {"roles": {"general": [], "domain": ["test"]}})
    study.configure({"manifests": {"heldout": None, "domain": None}})
    done = subprocess.run(
        study.command("--use-conda", "results/transcripts/base/test.jsonl"),
        cwd=study.folder,
        env=conda,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (study.results / "transcripts/base/test.jsonl").exists()
    used = (tmp_path / "used").read_text().splitlines()
    environments = {Path(prefix) for prefix in used}
    assert len(environments) == 2
    installed = [{p.name.split("-")[0] for p in (e / "conda-meta").glob("*.json")} for e in environments]
    assert sum("pytorch" in names for names in installed) == 1
