"""Shared by all tests: one thread per process, no network, and studies that are computed once per test run."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Before anything imports torch or numpy: many small processes on few cores are slower with more threads each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test contacts a hub; code that would is tested against local folders of the same shape.
os.environ["HF_HUB_OFFLINE"] = "1"

sys.path.insert(0, str(Path(__file__).parent / "faults"))
sys.path.insert(0, str(Path(__file__).parent / "wild"))
sys.path.insert(0, str(Path(__file__).parent / "field"))
sys.path.insert(0, str(Path(__file__).parent))

from browser import chromium
from small_study import REPOSITORY, Study, make_study

SharedStudy = Callable[[str, Callable[[Path], Study]], Study]


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, shared by all tests that open pages."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def shared_study(tmp_path_factory: pytest.TempPathFactory) -> SharedStudy:
    """Compute a study once per test run, whichever test process needs it first; tests must not change it.

    The returned function takes a name and `compute`, which makes and runs the study in the folder it is given.
    """
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # each process has a folder of its own below the one of the run

    def get(name: str, compute: Callable[[Path], Study]) -> Study:
        # A blank in the path, because people's folders have them.
        folder = root / "shared studies" / name
        folder.parent.mkdir(exist_ok=True)
        finished = folder.with_suffix(".finished")
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not finished.exists():
                assert not folder.exists(), f"{folder}: computing it failed in another test"
                compute(folder)
                finished.touch()
        return Study(folder)

    return get


@pytest.fixture(scope="session")
def computed(shared_study: SharedStudy) -> Study:
    """The small study, finished; what its run printed is in a file next to it (`.output`, `.errors`)."""

    def compute(folder: Path) -> Study:
        study = make_study(folder)
        done = study.snakemake()
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        folder.with_suffix(".output").write_text(done.stdout)
        folder.with_suffix(".errors").write_text(done.stderr)
        return study

    return shared_study("small", compute)


@pytest.fixture
def study(computed: Study, tmp_path: Path) -> Study:
    """A copy of the finished small study with all its cached state: a test recomputes only what it makes stale."""
    return computed.copy(tmp_path / "a copied study")
