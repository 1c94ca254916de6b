"""What tests of every folder share: threads, no network, and one small study that cases copy."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

# Before anything imports torch or numpy: many small processes on few cores are slower with more threads each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# No test asks a hub for anything; code that would is tested against folders of the same shape.
os.environ["HF_HUB_OFFLINE"] = "1"

sys.path.insert(0, str(Path(__file__).parent))

from small_study import REPOSITORY, Study, make_study


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The small study, run once a session: nobody changes it."""
    # A blank in the path, because people's folders have them.
    study = make_study(tmp_path_factory.mktemp("studies") / "a small study")
    study.run()
    return study


@pytest.fixture
def study(computed: Study, tmp_path: Path) -> Study:
    """A copy with all computed and cached state: a case recomputes only what it makes stale."""
    return computed.copy(tmp_path / "a copied study")
