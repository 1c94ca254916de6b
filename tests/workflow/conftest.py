"""One small study, computed once a session; cases copy it with `work/` and recompute only what they make stale."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from small_study import Study, make_study


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Study:
    # A blank in the path, because people's folders have them.
    study = make_study(tmp_path_factory.mktemp("studies") / "a small study")
    study.run()
    return study


@pytest.fixture
def study(computed: Study, tmp_path: Path) -> Study:
    return computed.copy(tmp_path / "a copied study")
